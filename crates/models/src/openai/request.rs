//! A request in the provider's words. Pure, and the same bytes for the same input, so that the prefix caches.
//!
//! Nothing is stored at the provider, so reasoning comes encrypted and goes back that way. The cache finds the prefix by
//! itself; its key leads the calls of one job to where the prefix was cached. The standard tier is asked for by name,
//! because a project's setting could otherwise make the call dearer than what was reserved for it.

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
    body.insert("max_output_tokens".into(), call.max_output.into());
    if !request.system.trim().is_empty() {
        body.insert("instructions".into(), request.system.into());
    }
    if !request.tools.is_empty() {
        body.insert("tools".into(), request.tools.iter().map(tool).collect());
        body.insert("parallel_tool_calls".into(), true.into());
    }
    body.insert("store".into(), false.into());
    body.insert("include".into(), json!(["reasoning.encrypted_content"]));
    body.insert("service_tier".into(), "default".into());
    body.insert("prompt_cache_key".into(), cache_key(call).into());
    let turns = request.turns;
    body.insert("input".into(), (0..turns.len()).flat_map(|at| items(turns, at, call.own)).collect());
    Value::Object(body)
}

/// A tool as the provider wants it described. Strict schemas would forbid optional arguments.
pub(super) fn tool(tool: &ToolSpec) -> Value {
    json!({"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.schema,
           "strict": false})
}

/// Turn `at` as items; none for a turn that carries nothing.
pub(super) fn items(turns: &[Turn], at: usize, own: Own<'_>) -> Vec<Value> {
    match &turns[at] {
        Turn::User(text) => message("user", text).into_iter().collect(),
        Turn::Assistant { content, .. } if own.has(turns, at) => own_items(content),
        Turn::Assistant { tool_calls, text, .. } => {
            let call = |(n, call): (usize, &ToolCall)| {
                json!({"type": "function_call", "call_id": neutral::id(at, n), "name": neutral::name(&call.name),
                       "arguments": Value::Object(neutral::arguments(&call.input)).to_string()})
            };
            let calls = tool_calls.iter().enumerate().map(call);
            message("assistant", text).into_iter().chain(calls).collect()
        }
        Turn::ToolResults(results) => {
            let foreign = (!own.has(turns, at.wrapping_sub(1))).then(|| at.wrapping_sub(1));
            let output = |(n, (id, output, _)): (usize, &(String, String, bool))| {
                let id = foreign.map_or_else(|| id.clone(), |turn| neutral::id(turn, n));
                json!({"type": "function_call_output", "call_id": id, "output": output})
            };
            results.iter().enumerate().map(output).collect()
        }
    }
}

/// What the model said, unchanged, but for reasoning at the end: the provider refuses reasoning that nothing follows.
fn own_items(content: &Value) -> Vec<Value> {
    let items = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let end = items.iter().rposition(|item| item["type"] != "reasoning").map_or(0, |last| last + 1);
    items[..end].to_vec()
}

fn message(role: &str, text: &str) -> Option<Value> {
    neutral::words(text).map(|text| json!({"role": role, "content": text}))
}

/// The same for all calls of a job: a fingerprint of how its conversation begins.
fn cache_key(call: &Call<'_>) -> String {
    let first =
        call.request.turns.first().map(|turn| if let Turn::User(text) = turn { text.as_str() } else { "" });
    let parts = [call.request.system, first.unwrap_or_default()];
    // FNV-1a: the same in every version of every program.
    let hash = parts.iter().flat_map(|part| part.bytes()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("codeteam-{hash:016x}")
}
