//! The provider's answer in the port's words. Pure.
//!
//! `input_tokens` excludes what the cache read and wrote, so the counts are disjoint as they come. Blocks of kinds that
//! are not known here stay in the content: they go back unchanged like all others.

use agent::{ModelError, Reply, Stop};
use domain::{ToolCall, Usage};
use serde_json::Value;

use crate::catalogue::{self, ModelInfo};

/// Reads the body of an answer. It is priced as the model that answered, or as `asked` if the catalogue has no such model.
pub(super) fn read(body: &[u8], request_id: Option<String>, asked: &ModelInfo) -> Result<Reply, ModelError> {
    let mut body: Value =
        serde_json::from_slice(body).map_err(|error| malformed(format!("it is not JSON: {error}")))?;
    let content = body["content"].take();
    let blocks = content.as_array().ok_or_else(|| malformed("it has no list of content"))?;
    let model = body["model"].as_str().ok_or_else(|| malformed("it does not name the model"))?.to_owned();
    let tool_calls = blocks
        .iter()
        .filter(|block| block["type"] == "tool_use")
        .map(tool_call)
        .collect::<Result<Vec<_>, _>>()?;
    let said =
        blocks.iter().filter(|block| block["type"] == "text").filter_map(|block| block["text"].as_str());
    let text = said.collect::<Vec<_>>().join("\n");
    let raw_usage = body["usage"].take();
    let usage = usage(&raw_usage)?;
    let stop = stop(body["stop_reason"].as_str(), !tool_calls.is_empty());
    let cost = catalogue::find(&model).unwrap_or(asked).cost(&usage);
    Ok(Reply { content, text, tool_calls, stop, usage, cost, model, request_id, raw_usage })
}

fn tool_call(block: &Value) -> Result<ToolCall, ModelError> {
    match (block["id"].as_str(), block["name"].as_str()) {
        (Some(id), Some(name)) => {
            Ok(ToolCall { id: id.to_owned(), name: name.to_owned(), input: block["input"].clone() })
        }
        _ => Err(malformed("it calls a tool without naming it")),
    }
}

fn usage(raw: &Value) -> Result<Usage, ModelError> {
    let required =
        |name: &str| raw[name].as_u64().ok_or_else(|| malformed(format!("its usage has no {name}")));
    let written = raw["cache_creation_input_tokens"].as_u64().unwrap_or(0);
    let written_1h = raw["cache_creation"]["ephemeral_1h_input_tokens"].as_u64().unwrap_or(0);
    let written_5m = raw["cache_creation"]["ephemeral_5m_input_tokens"].as_u64().unwrap_or(0);
    Ok(Usage {
        uncached: required("input_tokens")?,
        cache_read: raw["cache_read_input_tokens"].as_u64().unwrap_or(0),
        // What the split leaves open counts as the five-minute cache, the only one that is asked for.
        cache_write_5m: written_5m.max(written.saturating_sub(written_1h)),
        cache_write_1h: written_1h,
        output: required("output_tokens")?,
        reasoning: 0,
    })
}

/// A reason that is not known here must not lose a paid answer: what the answer holds decides.
fn stop(reason: Option<&str>, calls_tools: bool) -> Stop {
    match reason {
        Some("max_tokens") => Stop::MaxOutput,
        Some("refusal") => Stop::Refusal,
        Some("model_context_window_exceeded") => Stop::ContextFull,
        _ if calls_tools => Stop::ToolUse,
        _ => Stop::EndTurn,
    }
}

fn malformed(message: impl Into<String>) -> ModelError {
    ModelError::Malformed { message: message.into() }
}
