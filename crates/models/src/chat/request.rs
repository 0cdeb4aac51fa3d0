//! A request in the words that all of these servers know. Pure, and the same bytes for the same input.

use agent::{ToolSpec, Turn};
use domain::ToolCall;
use serde_json::{Map, Value, json};

use crate::neutral;
use crate::wire::{Call, Own};

/// The body of a call. `max_tokens` is the older name of the bound, and the one that every server heeds.
pub(super) fn body(call: &Call<'_>) -> Value {
    let request = call.request;
    let mut body = Map::new();
    body.insert("model".into(), call.model.into());
    body.insert("max_tokens".into(), call.max_output.into());
    if !request.tools.is_empty() {
        body.insert("tools".into(), request.tools.iter().map(tool).collect());
    }
    let system = neutral::words(request.system).map(|text| json!({"role": "system", "content": text}));
    let turns = (0..request.turns.len()).flat_map(|at| messages(request.turns, at, call.own));
    body.insert("messages".into(), system.into_iter().chain(turns).collect());
    Value::Object(body)
}

/// A tool as these servers want it described.
pub(super) fn tool(tool: &ToolSpec) -> Value {
    json!({"type": "function",
           "function": {"name": tool.name, "description": tool.description, "parameters": tool.schema}})
}

/// Turn `at` as messages; none for a turn that carries nothing.
pub(super) fn messages(turns: &[Turn], at: usize, own: Own<'_>) -> Vec<Value> {
    match &turns[at] {
        Turn::User(text) => {
            neutral::words(text).map(|text| json!({"role": "user", "content": text})).into_iter().collect()
        }
        Turn::Assistant { content, tool_calls, text, .. } => {
            let is_empty = tool_calls.is_empty() && neutral::words(text).is_none();
            match (is_empty, own.has(turns, at)) {
                (true, _) => Vec::new(),
                (_, true) => vec![content.clone()],
                (_, false) => vec![neutral_message(at, tool_calls, text)],
            }
        }
        Turn::ToolResults(results) => {
            let foreign = (!own.has(turns, at.wrapping_sub(1))).then(|| at.wrapping_sub(1));
            let result = |(n, (id, output, _)): (usize, &(String, String, bool))| {
                let id = foreign.map_or_else(|| id.clone(), |turn| neutral::id(turn, n));
                json!({"role": "tool", "tool_call_id": id, "content": output})
            };
            results.iter().enumerate().map(result).collect()
        }
    }
}

fn neutral_message(turn: usize, calls: &[ToolCall], text: &str) -> Value {
    let call = |(n, call): (usize, &ToolCall)| {
        let arguments = Value::Object(neutral::arguments(&call.input)).to_string();
        json!({"id": neutral::id(turn, n), "type": "function",
               "function": {"name": neutral::name(&call.name), "arguments": arguments}})
    };
    let mut message = json!({"role": "assistant", "content": neutral::words(text)});
    if !calls.is_empty() {
        message["tool_calls"] = calls.iter().enumerate().map(call).collect();
    }
    message
}
