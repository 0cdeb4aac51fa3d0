//! A request in the provider's words. Pure, and the same bytes for the same input, so that the prefix caches: by itself,
//! for there is nothing to ask for.

use agent::{ToolSpec, Turn};
use domain::ToolCall;
use serde_json::{Map, Value, json};

use crate::neutral;
use crate::wire::{Call, Own};

/// What the provider documents for calls that another model made, which have no signature that it could check.
const UNSIGNED: &str = "skip_thought_signature_validator";

/// The body of a call.
pub(super) fn body(call: &Call<'_>) -> Value {
    let request = call.request;
    let mut body = Map::new();
    if !request.system.trim().is_empty() {
        body.insert("systemInstruction".into(), json!({"parts": [{"text": request.system}]}));
    }
    if !request.tools.is_empty() {
        let tools: Vec<Value> = request.tools.iter().map(tool).collect();
        body.insert("tools".into(), json!([{"functionDeclarations": tools}]));
    }
    let turns = request.turns;
    body.insert("contents".into(), (0..turns.len()).filter_map(|at| content(turns, at, call.own)).collect());
    body.insert("generationConfig".into(), json!({"maxOutputTokens": call.max_output}));
    Value::Object(body)
}

/// A tool as the provider wants it described.
pub(super) fn tool(tool: &ToolSpec) -> Value {
    json!({"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.schema})
}

/// Turn `at` as one content; None for a turn that carries nothing.
pub(super) fn content(turns: &[Turn], at: usize, own: Own<'_>) -> Option<Value> {
    let (role, parts) = match &turns[at] {
        Turn::User(text) => {
            ("user", neutral::words(text).map(|text| json!({"text": text})).into_iter().collect())
        }
        Turn::Assistant { content, .. } if own.has(turns, at) => {
            ("model", content.as_array().cloned().unwrap_or_default())
        }
        Turn::Assistant { tool_calls, text, .. } => ("model", neutral_parts(tool_calls, text)),
        Turn::ToolResults(results) => {
            let (calls, ids) = (neutral::calls_before(turns, at), ids_before(turns, at, own));
            let response = |(n, (_, output, is_error)): (usize, &(String, String, bool))| {
                let name = calls.get(n).map_or("unknown", |call| call.name.as_str());
                response(neutral::name(name), ids.get(n).cloned().flatten(), output, *is_error)
            };
            ("user", results.iter().enumerate().map(response).collect())
        }
    };
    (!parts.is_empty()).then(|| json!({"role": role, "parts": parts}))
}

fn neutral_parts(calls: &[ToolCall], text: &str) -> Vec<Value> {
    let text = neutral::words(text).map(|text| json!({"text": text}));
    let call = |(n, call): (usize, &ToolCall)| {
        let args = Value::Object(neutral::arguments(&call.input));
        let mut part = json!({"functionCall": {"name": neutral::name(&call.name), "args": args}});
        if n == 0 {
            part["thoughtSignature"] = UNSIGNED.into();
        }
        part
    };
    text.into_iter().chain(calls.iter().enumerate().map(call)).collect()
}

/// The ids that the calls of the turn before carried, in their order: only those may be named that were given.
fn ids_before(turns: &[Turn], at: usize, own: Own<'_>) -> Vec<Option<Value>> {
    let before = at.wrapping_sub(1);
    match turns.get(before) {
        Some(Turn::Assistant { content, .. }) if own.has(turns, before) => {
            let parts = content.as_array().map(Vec::as_slice).unwrap_or_default();
            let calls = parts.iter().filter_map(|part| part.get("functionCall"));
            calls.map(|call| call.get("id").filter(|id| id.is_string()).cloned()).collect()
        }
        _ => Vec::new(),
    }
}

fn response(name: String, id: Option<Value>, output: &str, is_error: bool) -> Value {
    let mut response = Map::new();
    response.extend(id.map(|id| ("id".to_owned(), id)));
    response.insert("name".into(), name.into());
    response.insert("response".into(), json!({if is_error { "error" } else { "output" }: output}));
    json!({"functionResponse": response})
}
