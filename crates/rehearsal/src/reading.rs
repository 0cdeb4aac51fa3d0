//! What the protocols' readers have in common: names, bounds, keys, words.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::refusal::Refusal;
use crate::script::Block;

/// The model's name, which every protocol needs.
pub(crate) fn model(name: &Value) -> Result<String, Refusal> {
    let name = name.as_str().filter(|name| !name.is_empty());
    name.map(str::to_owned).ok_or_else(|| Refusal::invalid("model: a name is required"))
}

/// A rehearsal does not stream.
pub(crate) fn in_one_piece(request: &Value) -> Result<(), Refusal> {
    match request["stream"] == true {
        true => Err(Refusal::invalid("stream: a rehearsal answers in one piece")),
        false => Ok(()),
    }
}

/// A bound on the output under the name `field`, of at least `least` tokens; none if it is left out.
pub(crate) fn bound(field: &str, value: &Value, least: u64) -> Result<u64, Refusal> {
    match value {
        Value::Null => Ok(u64::MAX),
        value => value
            .as_u64()
            .filter(|&max| max >= least)
            .ok_or_else(|| Refusal::invalid(format!("{field}: a number of {least} or more is required"))),
    }
}

/// Refuses a request without a key in `header`.
pub(crate) fn key(headers: &HeaderMap, header: &str, missing: Refusal) -> Result<(), Refusal> {
    match headers.get(header).is_none_or(|key| key.is_empty()) {
        true => Err(missing),
        false => Ok(()),
    }
}

/// Whether there is a bearer's key.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<(), ()> {
    let given = headers.get("authorization").and_then(|header| header.to_str().ok());
    let key = given.and_then(|header| header.strip_prefix("Bearer ")).filter(|key| !key.trim().is_empty());
    key.map(|_| ()).ok_or(())
}

/// A refusal for a request without a key, in the provider's words.
pub(crate) fn no_key(status: StatusCode, message: &str) -> Refusal {
    Refusal { status, message: message.to_owned() }
}

/// The text of something that is a string, or a list of parts of which some have a text.
pub(crate) fn words(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        content => {
            let parts = content.as_array().into_iter().flatten();
            parts.filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
        }
    }
}

/// Whether something is a string or a list with something in it.
pub(crate) fn is_filled(content: &Value) -> bool {
    content.as_array().is_some_and(|parts| !parts.is_empty())
        || content.as_str().is_some_and(|text| !text.is_empty())
}

/// The blocks of a call of `name` with arguments that are JSON in a string.
pub(crate) fn call_block(name: &Value, arguments: &Value) -> Option<Block> {
    let input = serde_json::from_str(arguments.as_str()?).ok()?;
    Some(Block::ToolUse { name: name.as_str()?.to_owned(), input })
}
