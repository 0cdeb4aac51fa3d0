//! The provider's answer in the port's words. Pure.
//!
//! `input_tokens` excludes what the cache read and wrote, so the counts are disjoint as they come. Blocks of kinds that
//! are not known here stay in the content: they go back unchanged like all others. Counts that cannot be are not believed,
//! and what is kept beside the content (names, ids, the usage as it came) is cleaned, for it ends up in the ledger.

use agent::{ModelError, Reply, Stop};
use domain::{ToolCall, Usage};
use serde_json::Value;

use crate::catalogue::{self, ModelInfo};

/// So many tokens of output more than were asked for are taken for another way of counting.
const TOLERANCE: u64 = 64;

/// Reads the body of an answer to a request for at most `max_output` tokens. It is priced as the model that answered, or
/// as `asked` if the catalogue has no such model.
pub(super) fn read(
    body: &[u8],
    request_id: Option<String>,
    asked: &ModelInfo,
    max_output: u64,
) -> Result<Reply, ModelError> {
    let mut body: Value =
        serde_json::from_slice(body).map_err(|error| malformed(format!("it is not JSON: {error}")))?;
    // Writing through an index would panic on what is no object.
    let fields = body.as_object_mut().ok_or_else(|| malformed("it is no JSON object"))?;
    let mut part = |name: &str| fields.remove(name).unwrap_or_default();
    let (mut content, mut raw_usage) = (part("content"), part("usage"));
    let blocks = content.as_array_mut().ok_or_else(|| malformed("it has no list of content"))?;
    // Before the calls are read, so that their results name the ids that the content has.
    blocks.iter_mut().filter_map(|block| block.get_mut("id")).for_each(clean);
    let model = body["model"].as_str().ok_or_else(|| malformed("it does not name the model"))?;
    let model = domain::clean(model);
    let tool_calls = blocks
        .iter()
        .filter(|block| block["type"] == "tool_use")
        .map(tool_call)
        .collect::<Result<Vec<_>, _>>()?;
    let said =
        blocks.iter().filter(|block| block["type"] == "text").filter_map(|block| block["text"].as_str());
    let text = said.collect::<Vec<_>>().join("\n");
    clean(&mut raw_usage);
    let usage = usage(&raw_usage)?;
    let answered = catalogue::find(&model).unwrap_or(asked);
    believable(&usage, answered.context_tokens.max(asked.context_tokens), max_output)?;
    let stop = stop(body["stop_reason"].as_str(), !tool_calls.is_empty());
    let cost = answered.cost(&usage);
    let request_id = request_id.map(|id| domain::clean(&id));
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
    let optional = |within: &Value, name: &str| match &within[name] {
        Value::Null => Ok(0),
        count => count.as_u64().ok_or_else(|| malformed(format!("its usage has no count as {name}"))),
    };
    let written = optional(raw, "cache_creation_input_tokens")?;
    let written_1h = optional(&raw["cache_creation"], "ephemeral_1h_input_tokens")?;
    let written_5m = optional(&raw["cache_creation"], "ephemeral_5m_input_tokens")?;
    Ok(Usage {
        uncached: required("input_tokens")?,
        cache_read: optional(raw, "cache_read_input_tokens")?,
        // What the split leaves open counts as the five-minute cache, the only one that is asked for.
        cache_write_5m: written_5m.max(written.saturating_sub(written_1h)),
        cache_write_1h: written_1h,
        output: required("output_tokens")?,
        reasoning: 0,
    })
}

/// No ledger can take any number: more than fits into the model, or than was asked for, is a mistake of whoever wrote it.
fn believable(usage: &Usage, context: u64, max_output: u64) -> Result<(), ModelError> {
    let (input, output) = (usage.input(), usage.output);
    if input > context {
        return Err(malformed(format!(
            "it reports {input} tokens of input, and the model's context has {context}"
        )));
    }
    if output > max_output.saturating_add(TOLERANCE) {
        return Err(malformed(format!(
            "it reports {output} tokens of output, and {max_output} were asked for"
        )));
    }
    Ok(())
}

/// Replaces control characters at any depth, as [`domain::clean`] does.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = domain::clean(text),
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(fields) => {
            *fields = std::mem::take(fields)
                .into_iter()
                .map(|(name, mut value)| {
                    clean(&mut value);
                    (domain::clean(&name), value)
                })
                .collect();
        }
        _ => {}
    }
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
