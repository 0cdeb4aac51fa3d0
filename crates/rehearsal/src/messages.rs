//! Anthropic's Messages.
//!
//! A caller that asks for thinking gets a block of it, signed, before everything else of an answer.

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::conversation::Answer;
use crate::count::Count;
use crate::protocol::{Asked, Call, Given, Heard, Part, Wire};
use crate::reading;
use crate::refusal::Refusal;
use crate::script::{Block, Turn, seal};

pub(crate) struct Messages;

impl Wire for Messages {
    fn request_id_header(&self) -> &'static str {
        "request-id"
    }

    /// Clients send the key in either header.
    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let missing = reading::no_key(StatusCode::UNAUTHORIZED, "x-api-key header is required");
        reading::bearer(headers).or_else(|_| reading::key(headers, "x-api-key", missing))?;
        let version = Refusal::invalid("anthropic-version: header is required");
        reading::key(headers, "anthropic-version", version)
    }

    fn read(&self, _path: &str, request: &Value) -> Result<Asked, Refusal> {
        if request["max_tokens"].is_null() {
            return Err(Refusal::invalid("max_tokens: a number of 1 or more is required"));
        }
        let max_output = reading::bound("max_tokens", &request["max_tokens"], 1)?;
        let model = reading::model(&request["model"])?;
        reading::in_one_piece(request)?;
        let messages = request["messages"].as_array().filter(|messages| !messages.is_empty());
        let messages =
            messages.ok_or_else(|| Refusal::invalid("messages: at least one message is required"))?;
        let turns = messages.iter().enumerate().map(heard).collect::<Result<_, _>>()?;
        let tools = request["tools"].as_array().into_iter().flatten();
        Ok(Asked {
            model,
            max_output,
            tools: tools.filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect(),
            opening: reading::words(&messages[0]["content"]),
            turns,
            parts: parts(request),
            thinks: matches!(request["thinking"]["type"].as_str(), Some("enabled" | "adaptive")),
        })
    }

    fn content(&self, turn: &Turn, number: usize, asked: &Asked) -> Vec<Value> {
        let thought = asked.thinks.then(
            || json!({"type": "thinking", "thinking": "As the script has it.", "signature": seal(number)}),
        );
        let block = |(index, block): (usize, &Block)| match block {
            Block::Text { text } => json!({"type": "text", "text": text}),
            Block::ToolUse { name, input } => {
                let id = format!("toolu_rehearsal_{number}_{}", index + 1);
                json!({"type": "tool_use", "id": id, "name": name, "input": input})
            }
        };
        thought.into_iter().chain(turn.content.iter().enumerate().map(block)).collect()
    }

    fn calls(&self, items: &[Value]) -> Vec<Call> {
        let calls = items.iter().filter(|block| block["type"] == "tool_use");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        calls
            .filter_map(|block| Some(Call { id: text(&block["id"])?, name: text(&block["name"])? }))
            .collect()
    }

    /// They are part of the output, and nobody says how many they are.
    fn thoughts(&self, _content: &[Value]) -> u64 {
        0
    }

    fn answer(&self, answer: &Answer, count: &Count, number: u64) -> Value {
        let stop_reason = match (answer.is_cut, answer.calls) {
            (true, _) => "max_tokens",
            (false, true) => "tool_use",
            (false, false) => "end_turn",
        };
        json!({
            "id": format!("msg_rehearsal_{number}"),
            "type": "message",
            "role": "assistant",
            "model": "rehearsal",
            "content": answer.content,
            "stop_reason": stop_reason,
            "stop_sequence": null,
            "usage": {
                "input_tokens": count.uncached,
                "cache_creation_input_tokens": count.cache_write_5m,
                "cache_read_input_tokens": count.cache_read,
                "cache_creation": {"ephemeral_5m_input_tokens": count.cache_write_5m, "ephemeral_1h_input_tokens": 0},
                "output_tokens": count.output,
            },
        })
    }

    fn refusal(&self, refusal: &Refusal, request_id: &str) -> Value {
        let kind = match refusal.status {
            StatusCode::UNAUTHORIZED => "authentication_error",
            StatusCode::NOT_FOUND => "not_found_error",
            StatusCode::PAYLOAD_TOO_LARGE => "request_too_large",
            _ => "invalid_request_error",
        };
        json!({"type": "error", "error": {"type": kind, "message": refusal.message}, "request_id": request_id})
    }

    fn lost(&self, at: &str, items: &[Value], served: &[Value]) -> Option<String> {
        let thought = served.first().filter(|block| block["type"] == "thinking")?;
        let found = items.first().filter(|block| block["type"] == "thinking");
        match found {
            None => Some(format!(
                "{at}.content.0: when thinking is enabled, an assistant message must start with its thinking block"
            )),
            Some(found) if found != thought => {
                Some(format!("{at}.content.0: invalid `signature` in `thinking` block"))
            }
            Some(_) => None,
        }
    }

    fn foreign(&self, items: &[Value], _asked: &Asked) -> Option<Vec<Block>> {
        let block = |item: &Value| match item["type"].as_str() {
            Some("text") => Some(Block::Text { text: item["text"].as_str()?.to_owned() }),
            Some("tool_use") if !item["id"].as_str()?.starts_with("toolu_rehearsal_") => {
                Some(Block::ToolUse {
                    name: item["name"].as_str()?.to_owned(),
                    input: item["input"].as_object()?.clone(),
                })
            }
            _ => None,
        };
        items.iter().map(block).collect()
    }

    fn unanswered(&self, at: &str, missing: &[String]) -> String {
        format!(
            "{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {}",
            missing.join(", ")
        )
    }
}

fn heard((index, message): (usize, &Value)) -> Result<Heard, Refusal> {
    let (content, at) = (&message["content"], format!("messages.{index}"));
    if !reading::is_filled(content) {
        return Err(Refusal::invalid(format!("{at}: all messages must have content")));
    }
    let blocks = content.as_array().into_iter().flatten();
    match message["role"].as_str() {
        Some("user") => {
            let results = blocks.filter(|block| block["type"] == "tool_result");
            let id = |block: &Value| block["tool_use_id"].as_str().map(str::to_owned);
            Ok(Heard::Caller { results: results.map(|block| Given { id: id(block), name: None }).collect() })
        }
        Some("assistant") if index > 0 => {
            let items = match content {
                Value::String(text) => vec![json!({"type": "text", "text": text})],
                _ => blocks.cloned().collect(),
            };
            Ok(Heard::Model { at, items })
        }
        _ => Err(Refusal::invalid(format!("{at}: the role must be user, or after it assistant"))),
    }
}

/// Tools with instructions, then each message.
fn parts(request: &Value) -> Vec<Part> {
    let stable = json!([request["model"], request["tools"], request["system"]]);
    let messages = request["messages"].as_array().into_iter().flatten().cloned();
    std::iter::once(stable).chain(messages).map(unmarked).collect()
}

/// The part without its marks, and whether it had one. A mark's place is no part of a prefix.
fn unmarked(mut value: Value) -> Part {
    let mut marked = false;
    let lists = match &mut value {
        Value::Array(stable) => stable.iter_mut().collect::<Vec<_>>(),
        message => message.get_mut("content").into_iter().collect(),
    };
    for block in lists.into_iter().filter_map(Value::as_array_mut).flatten() {
        marked |= block.as_object_mut().is_some_and(|block| block.shift_remove("cache_control").is_some());
    }
    Part { value, marked: Some(marked) }
}
