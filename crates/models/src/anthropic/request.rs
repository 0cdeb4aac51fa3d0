//! A request in the provider's words. Pure, and the same bytes for the same input, so that the prefix caches.
//!
//! Prompt caching is asked for at up to three places: after the instructions (tools stand before them in the cached
//! prefix), and at the end of the last two turns that are ours. The end of the last one is where this call writes; the
//! end of the one before is where the previous call wrote, and naming it makes the hit certain however many blocks
//! lie between. The marks are no part of the prefix, so moving them loses nothing.

use agent::{ToolSpec, Turn};
use domain::ToolCall;
use serde_json::{Map, Value, json};

use crate::neutral;
use crate::wire::{Call, Own};

/// The body of a call.
pub(super) fn body(call: &Call<'_>) -> Value {
    let request = call.request;
    let mut body = Map::new();
    body.insert("model".into(), call.model.into());
    body.insert("max_tokens".into(), call.max_output.into());
    if !request.system.trim().is_empty() {
        body.insert("system".into(), json!([marked(json!({"type": "text", "text": request.system}))]));
    }
    if !request.tools.is_empty() {
        body.insert("tools".into(), request.tools.iter().map(tool).collect());
    }
    body.insert("messages".into(), Value::Array(messages(request.turns, call.own)));
    Value::Object(body)
}

/// A tool as the provider wants it described.
pub(super) fn tool(tool: &ToolSpec) -> Value {
    json!({"name": tool.name, "description": tool.description, "input_schema": tool.schema})
}

/// A turn as a message, without marks. None for a turn that carries nothing: the provider refuses empty messages.
pub(super) fn message(turns: &[Turn], at: usize, own: Own<'_>) -> Option<Value> {
    match &turns[at] {
        Turn::User(text) if text.trim().is_empty() => None,
        Turn::User(text) => Some(json!({"role": "user", "content": [{"type": "text", "text": text}]})),
        Turn::Assistant { content, tool_calls, text, .. } => {
            let content =
                if own.has(turns, at) { content.clone() } else { neutral_blocks(at, tool_calls, text) };
            let is_empty = content.as_array().is_some_and(Vec::is_empty);
            (!is_empty).then(|| json!({"role": "assistant", "content": content}))
        }
        Turn::ToolResults(results) if results.is_empty() => None,
        Turn::ToolResults(results) => {
            let foreign = (!own.has(turns, at.wrapping_sub(1))).then(|| at.wrapping_sub(1));
            let result = |(call, result)| tool_result(result, foreign.map(|turn| neutral::id(turn, call)));
            let results: Vec<Value> = results.iter().enumerate().map(result).collect();
            Some(json!({"role": "user", "content": results}))
        }
    }
}

fn neutral_blocks(turn: usize, calls: &[ToolCall], text: &str) -> Value {
    let text = neutral::words(text).map(|text| json!({"type": "text", "text": text}));
    let call = |(at, call): (usize, &ToolCall)| {
        json!({"type": "tool_use", "id": neutral::id(turn, at), "name": neutral::name(&call.name),
               "input": neutral::arguments(&call.input)})
    };
    text.into_iter().chain(calls.iter().enumerate().map(call)).collect()
}

fn tool_result((id, output, is_error): &(String, String, bool), foreign: Option<String>) -> Value {
    let id = foreign.as_ref().unwrap_or(id);
    let mut result = json!({"type": "tool_result", "tool_use_id": id, "content": output});
    if *is_error {
        result["is_error"] = Value::Bool(true);
    }
    result
}

fn messages(turns: &[Turn], own: Own<'_>) -> Vec<Value> {
    let mut messages: Vec<Value> = (0..turns.len()).filter_map(|at| message(turns, at, own)).collect();
    let ours = messages.iter_mut().rev().filter(|message| message["role"] == "user");
    for message in ours.take(2) {
        if let Some(last) = message["content"].as_array_mut().and_then(|blocks| blocks.last_mut()) {
            *last = marked(last.take());
        }
    }
    messages
}

/// The block with a mark: the prefix up to its end is worth a cache entry.
fn marked(mut block: Value) -> Value {
    block["cache_control"] = json!({"type": "ephemeral"});
    block
}
