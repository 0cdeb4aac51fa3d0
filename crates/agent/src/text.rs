//! Text on its way to the model or into the journal.

use domain::{clean, head_and_tail};
use serde_json::Value;

/// The most bytes of one tool's output that the model is shown.
pub(crate) const OUTPUT_BYTES: usize = 10_000;

/// `bytes` as the model is shown them: UTF-8, Unix line ends, no control characters, cut to head and tail.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    head_and_tail(&plain(&text), OUTPUT_BYTES)
}

/// `text` with Unix line ends and no control characters, whole.
pub(crate) fn plain(text: &str) -> String {
    clean(&text.replace("\r\n", "\n"))
}

/// At most `limit` bytes of the start of `text`.
pub(crate) fn start(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// `value` with U+FFFD for each NUL, which the event log cannot store. The conversation goes on with the same value,
/// so that a resumed one does not differ.
pub(crate) fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => Value::String(text.replace('\0', "\u{FFFD}")),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| (key.replace('\0', "\u{FFFD}"), without_nul(value)))
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn output_of_any_kind_becomes_bounded_plain_text() {
        assert_eq!(shown(b"a\r\nb\x1b[0m \xff\n"), "a\nb\u{FFFD}[0m \u{FFFD}\n");
        assert!(shown(&vec![b'x'; 1_000_000]).len() < OUTPUT_BYTES + 100);
    }

    #[test]
    fn nul_is_replaced_at_any_depth_and_nothing_else() {
        let value = json!({"a\u{0}": ["x\u{0}y", 1, {"b": "ok"}]});
        assert_eq!(without_nul(value), json!({"a\u{FFFD}": ["x\u{FFFD}y", 1, {"b": "ok"}]}));
    }
}
