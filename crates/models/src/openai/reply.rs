//! The provider's answer in the port's words. Pure.
//!
//! `input_tokens` includes what the cache read and wrote, `output_tokens` includes reasoning. Items of kinds that are not
//! known here stay in the content.

use agent::{ModelError, Stop};
use domain::{ToolCall, Usage};
use serde_json::{Map, Value, json};

use crate::call::Failure;
use crate::wire::{Answer, clean, malformed, optional, required};

/// Reads the body of an answer.
pub(super) fn read(mut body: Map<String, Value>) -> Result<Answer, Failure> {
    if body.get("status").is_some_and(|status| status == "failed") {
        return Err(failed(&body));
    }
    let mut part = |name: &str| body.remove(name).unwrap_or_default();
    let (mut content, mut raw_usage, model) = (part("output"), part("usage"), part("model"));
    let (id, incomplete, tier) = (part("id"), part("incomplete_details"), part("service_tier"));
    let items = content.as_array_mut().ok_or_else(|| malformed("it has no list of output"))?;
    // Before the calls are read, so that their results name the ids that the content has.
    items.iter_mut().filter_map(|item| item.get_mut("call_id")).for_each(clean);
    let model = model.as_str().ok_or_else(|| malformed("it does not name the model"))?.to_owned();
    let calls = items.iter().filter(|item| item["type"] == "function_call");
    let tool_calls = calls.map(tool_call).collect::<Result<Vec<_>, _>>()?;
    let (said, declined) = words(items);
    let usage = usage(&raw_usage)?;
    if let Some(fields) = raw_usage.as_object_mut() {
        fields.insert("service_tier".to_owned(), tier);
    }
    let stop = match incomplete["reason"].as_str() {
        Some("max_output_tokens") => Stop::MaxOutput,
        Some("content_filter") => Stop::Refusal,
        _ if !tool_calls.is_empty() => Stop::ToolUse,
        _ if declined => Stop::Refusal,
        _ => Stop::EndTurn,
    };
    Ok(Answer {
        content,
        text: said,
        tool_calls,
        stop,
        usage,
        model: Some(model),
        request_id: id.as_str().map(str::to_owned),
        raw_usage,
    })
}

/// An answer that the provider itself gave up on. What it counted is paid for and lost.
fn failed(body: &Map<String, Value>) -> Failure {
    let error = body.get("error").cloned().unwrap_or_default();
    let word = |name: &str| domain::clean(error[name].as_str().unwrap_or("no reason given"));
    let message = format!("the answer failed ({}: {})", word("code"), word("message"));
    let is_counted = body.get("usage").is_some_and(|usage| !usage.is_null());
    match error["code"].as_str() {
        Some("server_error" | "rate_limit_exceeded") if !is_counted => {
            Failure::Passing { message, wait: None, give_up: false }
        }
        Some("server_error" | "rate_limit_exceeded") | None => Failure::Lost { message },
        Some(_) if is_counted => Failure::Lost { message },
        Some(_) => Failure::Final(ModelError::Refused { message }),
    }
}

/// What the messages say, and whether one of them declines.
fn words(items: &[Value]) -> (String, bool) {
    let messages = items.iter().filter(|item| item["type"] == "message");
    let parts: Vec<&Value> = messages.filter_map(|message| message["content"].as_array()).flatten().collect();
    let texts = parts.iter().filter_map(|part| part["text"].as_str().or_else(|| part["refusal"].as_str()));
    (texts.collect::<Vec<_>>().join("\n"), parts.iter().any(|part| part["type"] == "refusal"))
}

fn tool_call(item: &Value) -> Result<ToolCall, ModelError> {
    match (item["call_id"].as_str(), item["name"].as_str()) {
        (Some(id), Some(name)) => {
            Ok(ToolCall { id: id.to_owned(), name: name.to_owned(), input: arguments(&item["arguments"]) })
        }
        _ => Err(malformed("it calls a tool without naming it")),
    }
}

/// The arguments of a call. What is no JSON stays what it is, for the model to be told.
pub(crate) fn arguments(written: &Value) -> Value {
    match written {
        Value::String(text) if text.trim().is_empty() => json!({}),
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| written.clone()),
        Value::Null => json!({}),
        other => other.clone(),
    }
}

fn usage(raw: &Value) -> Result<Usage, ModelError> {
    let (input, output) = (required(raw, "input_tokens")?, required(raw, "output_tokens")?);
    let details = &raw["input_tokens_details"];
    let reasoning = optional(&raw["output_tokens_details"], "reasoning_tokens")?;
    split(input, output, reasoning, details)
}

/// Disjoint counts of an input that includes what the cache read and wrote.
pub(crate) fn split(input: u64, output: u64, reasoning: u64, details: &Value) -> Result<Usage, ModelError> {
    let cache_read = optional(details, "cached_tokens")?.min(input);
    let written = optional(details, "cache_write_tokens")?.min(input - cache_read);
    let long = optional(&details["cache_write_tokens_details"], "ttl_12h_tokens")?.min(written);
    Ok(Usage {
        uncached: input - cache_read - written,
        cache_read,
        // Caches of 30 minutes and of 12 hours: the shorter and the longer one that there is, as the catalogue has them.
        cache_write_5m: written - long,
        cache_write_1h: long,
        output,
        reasoning: reasoning.min(output),
    })
}
