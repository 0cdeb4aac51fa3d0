//! What another model said, in words that every provider takes: ids, names and arguments of one are refused by another.
//!
//! The ids are those of the places in the conversation. A call's result stands in the turn behind it, at the same place.

use agent::Turn;
use domain::ToolCall;
use serde_json::{Map, Value};

/// The longest name of a tool that every provider takes.
const NAME: usize = 64;

/// The id of call number `call` of turn `turn`.
pub(crate) fn id(turn: usize, call: usize) -> String {
    format!("call_{turn}_{call}")
}

/// A tool's name without characters that a provider refuses.
pub(crate) fn name(name: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    let name: String = name.chars().take(NAME).map(fits).collect();
    if name.is_empty() { "unknown".to_owned() } else { name }
}

/// Arguments as the object that providers want, whatever the model wrote.
pub(crate) fn arguments(input: &Value) -> Map<String, Value> {
    match input {
        Value::Object(fields) => fields.clone(),
        other => Map::from_iter([("unreadable".to_owned(), other.clone())]),
    }
}

/// Words, unless there are none.
pub(crate) fn words(text: &str) -> Option<&str> {
    (!text.trim().is_empty()).then_some(text)
}

/// The calls of the turn before turn `at`, which holds their results.
pub(crate) fn calls_before(turns: &[Turn], at: usize) -> &[ToolCall] {
    match at.checked_sub(1).and_then(|before| turns.get(before)) {
        Some(Turn::Assistant { tool_calls, .. }) => tool_calls,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_arguments_become_what_every_provider_takes() {
        assert_eq!(name("bash"), "bash");
        assert_eq!(name("läunch\u{FFFD} x"), "l_unch__x");
        assert_eq!((name(""), name(&"a".repeat(200)).len()), ("unknown".to_owned(), 64));
        assert_eq!(arguments(&json!({"a": 1})), *json!({"a": 1}).as_object().unwrap());
        assert_eq!(arguments(&json!("ls")), *json!({"unreadable": "ls"}).as_object().unwrap());
    }
}
