//! What OpenAI's two protocols have in common: the key, the ids of calls, errors.

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use crate::reading;
use crate::refusal::Refusal;

/// Sees that there is a bearer's key.
pub(crate) fn admit(headers: &HeaderMap) -> Result<(), Refusal> {
    let said = "You didn't provide an API key: provide it in an Authorization header, as in Authorization: Bearer KEY";
    let missing = reading::no_key(StatusCode::UNAUTHORIZED, said);
    reading::bearer(headers).map_err(|()| missing)
}

const OWN: &str = "call_rehearsal_";

/// The id of the call that is block `index` of turn `number`.
pub(crate) fn call_id(number: usize, index: usize) -> String {
    format!("{OWN}{number}_{}", index + 1)
}

/// Whether a call's id was given here.
pub(crate) fn is_own(id: &Value) -> bool {
    id.as_str().is_none_or(|id| id.starts_with(OWN))
}

/// A call's input in the form of JSON in a string.
pub(crate) fn arguments(input: &Map<String, Value>) -> String {
    Value::Object(input.clone()).to_string()
}

/// The error object.
pub(crate) fn refusal(refusal: &Refusal) -> Value {
    let code = match refusal.status {
        StatusCode::UNAUTHORIZED => json!("invalid_api_key"),
        _ => Value::Null,
    };
    json!({"error": {"message": refusal.message, "type": "invalid_request_error", "param": null, "code": code}})
}
