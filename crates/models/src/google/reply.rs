//! The provider's answer in the port's words. Pure.
//!
//! `promptTokenCount` includes what the cache read; `candidatesTokenCount` excludes thoughts, which are paid as output. Parts
//! go back as they came, signatures included.

use agent::{ModelError, Stop};
use domain::{ToolCall, Usage};
use serde_json::{Map, Value, json};

use crate::wire::{Answer, clean, malformed, optional, required};

/// Reasons that mean that the provider, or the model, does not want to.
const DECLINED: [&str; 12] = [
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "ESCALATION",
    "PUP_LIMITED_DISABLED",
    "MODEL_ARMOR",
];

/// Reads the body of an answer.
pub(super) fn read(mut body: Map<String, Value>) -> Result<Answer, ModelError> {
    let mut part = |name: &str| body.remove(name).unwrap_or_default();
    let (mut candidates, raw_usage) = (part("candidates"), part("usageMetadata"));
    let (model, id, feedback) = (part("modelVersion"), part("responseId"), part("promptFeedback"));
    let blocked = feedback["blockReason"].as_str().map(str::to_owned);
    let mut candidate = candidates.get_mut(0).map(Value::take).unwrap_or_default();
    if !candidate.is_object() && blocked.is_none() {
        return Err(malformed("it has no candidates"));
    }
    let content = candidate.pointer_mut("/content/parts").map(Value::take).unwrap_or_default();
    let Value::Array(mut parts) = (if content.is_null() { json!([]) } else { content }) else {
        return Err(malformed("it has no list of parts"));
    };
    let id = id.as_str().unwrap_or("call");
    let tool_calls = tool_calls(&mut parts, id)?;
    let said = parts.iter().filter(|part| part["thought"] != true).filter_map(|part| part["text"].as_str());
    let mut text = said.collect::<Vec<_>>().join("");
    // What was wrong with a call that could not be read stands beside the content.
    if let Some(why) = candidate["finishMessage"].as_str().filter(|_| text.is_empty()) {
        text = why.to_owned();
    }
    let stop = match candidate["finishReason"].as_str() {
        Some("MAX_TOKENS" | "CONTINUATION") => Stop::MaxOutput,
        Some(reason) if DECLINED.contains(&reason) => Stop::Refusal,
        _ if blocked.is_some() => Stop::Refusal,
        // Calls that are malformed or unexpected have no part of their own: what is left is silence.
        _ if !tool_calls.is_empty() => Stop::ToolUse,
        _ => Stop::EndTurn,
    };
    let model = model.as_str().map(|name| name.strip_prefix("models/").unwrap_or(name).to_owned());
    let usage = usage(&raw_usage)?;
    let request_id = (id != "call").then(|| id.to_owned());
    let content = Value::Array(parts);
    Ok(Answer { content, text, tool_calls, stop, usage, model, request_id, raw_usage })
}

/// The calls, in their order. Most carry no id: theirs are made of the answer's.
fn tool_calls(parts: &mut [Value], answer: &str) -> Result<Vec<ToolCall>, ModelError> {
    let calls = parts.iter_mut().filter_map(|part| part.get_mut("functionCall"));
    let call = |(at, call): (usize, &mut Value)| {
        call.get_mut("id").into_iter().for_each(clean);
        let name = call["name"].as_str().ok_or_else(|| malformed("it calls a tool without naming it"))?;
        let id = call["id"].as_str().map_or_else(|| domain::clean(&format!("{answer}-{at}")), str::to_owned);
        let input = call.get("args").filter(|args| !args.is_null()).cloned().unwrap_or_else(|| json!({}));
        Ok(ToolCall { id, name: name.to_owned(), input })
    };
    calls.enumerate().map(call).collect()
}

fn usage(raw: &Value) -> Result<Usage, ModelError> {
    let input = required(raw, "promptTokenCount")?.saturating_add(optional(raw, "toolUsePromptTokenCount")?);
    let cache_read = optional(raw, "cachedContentTokenCount")?.min(input);
    let reasoning = optional(raw, "thoughtsTokenCount")?;
    let output = optional(raw, "candidatesTokenCount")?.saturating_add(reasoning);
    Ok(Usage { uncached: input - cache_read, cache_read, output, reasoning, ..Usage::default() })
}
