//! The provider's answer in the port's words. Pure.
//!
//! `input_tokens` excludes what the cache read and wrote, so the counts are disjoint as they come. Blocks of kinds that
//! are not known here stay in the content: they go back unchanged like all others.

use agent::{ModelError, Stop};
use domain::{ToolCall, Usage};
use serde_json::{Map, Value};

use crate::wire::{Answer, clean, malformed, optional, required};

/// Reads the body of an answer.
pub(super) fn read(mut body: Map<String, Value>) -> Result<Answer, ModelError> {
    let mut part = |name: &str| body.remove(name).unwrap_or_default();
    let (mut content, raw_usage, model, stop_reason) =
        (part("content"), part("usage"), part("model"), part("stop_reason"));
    let blocks = content.as_array_mut().ok_or_else(|| malformed("it has no list of content"))?;
    // Before the calls are read, so that their results name the ids that the content has.
    blocks.iter_mut().filter_map(|block| block.get_mut("id")).for_each(clean);
    let model = model.as_str().ok_or_else(|| malformed("it does not name the model"))?;
    let tool_calls = blocks
        .iter()
        .filter(|block| block["type"] == "tool_use")
        .map(tool_call)
        .collect::<Result<Vec<_>, _>>()?;
    let said =
        blocks.iter().filter(|block| block["type"] == "text").filter_map(|block| block["text"].as_str());
    let text = said.collect::<Vec<_>>().join("\n");
    let usage = usage(&raw_usage)?;
    let stop = stop(stop_reason.as_str(), !tool_calls.is_empty());
    let model = Some(model.to_owned());
    Ok(Answer { content, text, tool_calls, stop, usage, model, request_id: None, raw_usage })
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
    let uncached = required(raw, "input_tokens")?;
    let written = optional(raw, "cache_creation_input_tokens")?;
    let written_1h = optional(&raw["cache_creation"], "ephemeral_1h_input_tokens")?;
    let written_5m = optional(&raw["cache_creation"], "ephemeral_5m_input_tokens")?;
    let output = required(raw, "output_tokens")?;
    Ok(Usage {
        uncached,
        cache_read: optional(raw, "cache_read_input_tokens")?,
        // What the split leaves open counts as the five-minute cache, the only one that is asked for.
        cache_write_5m: written_5m.max(written.saturating_sub(written_1h)),
        cache_write_1h: written_1h,
        output,
        reasoning: optional(&raw["output_tokens_details"], "thinking_tokens")?.min(output),
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
