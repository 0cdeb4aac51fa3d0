//! Text on its way to the model or into the journal.

use domain::{clean, head_and_tail};
use serde_json::Value;

/// The most bytes of one tool's output that the model is shown.
pub(crate) const OUTPUT_BYTES: usize = 10_000;

/// `bytes` as the model is shown them: UTF-8, Unix line ends, no control characters, cut to head and tail.
pub(crate) fn shown(bytes: &[u8]) -> String {
    shown_within(bytes, OUTPUT_BYTES)
}

/// As [`shown`], cut to about `limit` bytes.
pub(crate) fn shown_within(bytes: &[u8], limit: usize) -> String {
    head_and_tail(&plain(&String::from_utf8_lossy(bytes)), limit)
}

/// `text` with Unix line ends and no control characters, whole.
pub(crate) fn plain(text: &str) -> String {
    clean(&text.replace("\r\n", "\n"))
}

/// `1 file`, `2 files`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// At most `limit` bytes of the start of `text`.
pub(crate) fn start(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// `value` as the event log gives it back: U+FFFD for each NUL, which it cannot store, and fields in its order, the shorter
/// names first. The conversation goes on with the same value, so that a resumed one does not differ in a single byte.
pub(crate) fn as_stored(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => Value::String(text.replace('\0', "\u{FFFD}")),
        Value::Array(items) => items.into_iter().map(as_stored).collect(),
        Value::Object(fields) => {
            let stored = |(key, value): (String, Value)| (key.replace('\0', "\u{FFFD}"), as_stored(value));
            let mut fields: Vec<(String, Value)> = fields.into_iter().map(stored).collect();
            fields.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
            fields.into_iter().collect()
        }
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
        assert_eq!(as_stored(value), json!({"a\u{FFFD}": ["x\u{FFFD}y", 1, {"b": "ok"}]}));
    }

    #[test]
    fn fields_stand_as_the_event_log_sorts_them() {
        let value = json!({"type": 1, "id": [{"path": 1, "old": 2, "new": 3}], "input": {}});
        assert_eq!(
            as_stored(value).to_string(),
            r#"{"id":[{"new":3,"old":2,"path":1}],"type":1,"input":{}}"#
        );
    }
}
