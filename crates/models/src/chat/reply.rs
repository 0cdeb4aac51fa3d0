//! An answer in the port's words. Pure.
//!
//! What goes back is the message's words and calls. Reasoning that a server shows beside them stays here: servers refuse it
//! or do not look at it. Arguments that are no JSON are wrapped, because servers parse what they are sent back.

use agent::{ModelError, Stop};
use domain::{ToolCall, Usage};
use serde_json::{Map, Value, json};

use crate::openai::reply::{arguments, split};
use crate::wire::{Answer, clean, malformed, optional, required};

/// Reads the body of an answer.
pub(super) fn read(mut body: Map<String, Value>) -> Result<Answer, ModelError> {
    let mut part = |name: &str| body.remove(name).unwrap_or_default();
    let (mut choices, raw_usage, model, id) = (part("choices"), part("usage"), part("model"), part("id"));
    let choice = choices.get_mut(0).map(Value::take).ok_or_else(|| malformed("it has no choices"))?;
    let message = choice["message"].as_object().ok_or_else(|| malformed("it has no message"))?;
    let id = id.as_str().unwrap_or_default();
    let written = message.get("tool_calls").and_then(Value::as_array).cloned().unwrap_or_default();
    let named = |(at, call)| named(call, id, at);
    let (calls, tool_calls): (Vec<Value>, Vec<ToolCall>) =
        written.into_iter().enumerate().map(named).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let words = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default();
    let (said, refusal) = (words("content"), words("refusal"));
    let usage = usage(&raw_usage)?;
    let stop = match choice["finish_reason"].as_str() {
        Some("length") => Stop::MaxOutput,
        Some("content_filter") => Stop::Refusal,
        _ if !tool_calls.is_empty() => Stop::ToolUse,
        _ if !refusal.is_empty() => Stop::Refusal,
        _ => Stop::EndTurn,
    };
    let text = if said.is_empty() { refusal } else { said }.to_owned();
    let mut content = json!({"role": "assistant", "content": message.get("content")});
    if !calls.is_empty() {
        content["tool_calls"] = Value::Array(calls);
    }
    Ok(Answer {
        content,
        text,
        tool_calls,
        stop,
        usage,
        model: model.as_str().filter(|model| !model.is_empty()).map(str::to_owned),
        request_id: (!id.is_empty()).then(|| id.to_owned()),
        raw_usage,
    })
}

/// A call as it goes back, and as it is carried out. One without an id gets one.
fn named(mut call: Value, answer: &str, at: usize) -> Result<(Value, ToolCall), ModelError> {
    let unnamed = || malformed("it calls a tool without naming it");
    let name = call["function"]["name"].as_str().ok_or_else(unnamed)?.to_owned();
    let mut id = match call["id"].as_str().filter(|id| !id.is_empty()) {
        Some(id) => Value::from(id),
        None => Value::from(format!("{answer}-{at}")),
    };
    clean(&mut id);
    let input = arguments(&call["function"]["arguments"]);
    let sent = if input.is_object() { input.to_string() } else { json!({"unreadable": input}).to_string() };
    call["id"] = id.clone();
    call["type"] = "function".into();
    // As it was written where it can be read again: nothing is cached of other bytes.
    if !call["function"]["arguments"].as_str().is_some_and(is_object) {
        call["function"]["arguments"] = sent.into();
    }
    let id = id.as_str().unwrap_or_default().to_owned();
    Ok((call, ToolCall { id, name, input }))
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<Map<String, Value>>(text).is_ok()
}

fn usage(raw: &Value) -> Result<Usage, ModelError> {
    let (input, output) = (required(raw, "prompt_tokens")?, required(raw, "completion_tokens")?);
    let reasoning = optional(&raw["completion_tokens_details"], "reasoning_tokens")?;
    split(input, output, reasoning, &raw["prompt_tokens_details"])
}
