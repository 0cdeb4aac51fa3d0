//! Chat completions. Servers of one's own speak it too, so no key is asked for.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use crate::conversation::Answer;
use crate::count::Count;
use crate::openai;
use crate::protocol::{Asked, Call, Given, Heard, Part, Wire};
use crate::reading;
use crate::refusal::Refusal;
use crate::script::{Block, Turn};

pub(crate) struct Chat;

impl Wire for Chat {
    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn admit(&self, _headers: &HeaderMap) -> Result<(), Refusal> {
        Ok(())
    }

    fn read(&self, _path: &str, request: &Value) -> Result<Asked, Refusal> {
        let bounds = ["max_completion_tokens", "max_tokens"].map(|name| (name, &request[name]));
        let max_output = match bounds {
            [(_, first), (_, second)] if !first.is_null() && !second.is_null() => {
                return Err(Refusal::invalid("give max_completion_tokens or max_tokens, not both"));
            }
            bounds => {
                let (name, value) =
                    bounds.into_iter().find(|(_, value)| !value.is_null()).unwrap_or(bounds[0]);
                reading::bound(name, value, 1)?
            }
        };
        let model = reading::model(&request["model"])?;
        reading::in_one_piece(request)?;
        let messages = request["messages"].as_array().filter(|messages| !messages.is_empty());
        let messages =
            messages.ok_or_else(|| Refusal::invalid("messages: at least one message is required"))?;
        let tools = request["tools"].as_array().into_iter().flatten();
        let tools = tools.filter_map(|tool| tool["function"]["name"].as_str().map(str::to_owned));
        let opening = messages.iter().find(|message| message["role"] == "user");
        let stable = json!([request["model"], request["tools"]]);
        Ok(Asked {
            model,
            max_output,
            tools: tools.collect(),
            opening: reading::words(opening.map_or(&Value::Null, |message| &message["content"])),
            turns: turns(messages)?,
            parts: std::iter::once(stable).chain(messages.iter().cloned()).map(Part::plain).collect(),
            thinks: false,
        })
    }

    fn content(&self, turn: &Turn, number: usize, _asked: &Asked) -> Vec<Value> {
        let block = |(index, block): (usize, &Block)| match block {
            Block::Text { text } => json!({"type": "text", "text": text}),
            Block::ToolUse { name, input } => json!({
                "id": openai::call_id(number, index), "type": "function",
                "function": {"name": name, "arguments": openai::arguments(input)},
            }),
        };
        turn.content.iter().enumerate().map(block).collect()
    }

    fn sent_back(&self, content: Vec<Value>) -> Vec<Value> {
        vec![bare(&message(&content))]
    }

    fn calls(&self, items: &[Value]) -> Vec<Call> {
        let calls = items.iter().filter_map(|message| message["tool_calls"].as_array()).flatten();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        calls
            .filter_map(|call| Some(Call { id: text(&call["id"])?, name: text(&call["function"]["name"])? }))
            .collect()
    }

    /// There are none.
    fn thoughts(&self, _content: &[Value]) -> u64 {
        0
    }

    fn answer(&self, answer: &Answer, count: &Count, number: u64) -> Value {
        let finish = match (answer.is_cut, answer.calls) {
            (true, _) => "length",
            (false, true) => "tool_calls",
            (false, false) => "stop",
        };
        json!({
            "id": format!("chatcmpl-rehearsal-{number}"),
            "object": "chat.completion",
            "created": 0,
            "model": "rehearsal",
            "choices": [{"index": 0, "message": message(&answer.content), "logprobs": null, "finish_reason": finish}],
            "usage": {
                "prompt_tokens": count.input(),
                "completion_tokens": count.output,
                "total_tokens": count.input() + count.output,
                "prompt_tokens_details": {"cached_tokens": count.cache_read},
                "completion_tokens_details": {"reasoning_tokens": count.reasoning},
            },
        })
    }

    fn refusal(&self, refusal: &Refusal, _request_id: &str) -> Value {
        openai::refusal(refusal)
    }

    /// Nothing but the message itself must come back.
    fn lost(&self, _at: &str, _items: &[Value], _served: &[Value]) -> Option<String> {
        None
    }

    fn foreign(&self, items: &[Value], _asked: &Asked) -> Option<Vec<Block>> {
        let [message] = items else { return None };
        let text = reading::words(&message["content"]);
        let text = (!text.is_empty()).then_some(Some(Block::Text { text }));
        let call = |call: &Value| match openai::is_own(&call["id"]) {
            true => None,
            false => reading::call_block(&call["function"]["name"], &call["function"]["arguments"]),
        };
        text.into_iter().chain(message["tool_calls"].as_array().into_iter().flatten().map(call)).collect()
    }

    fn unanswered(&self, _at: &str, missing: &[String]) -> String {
        format!(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. \
             The following tool_call_ids did not have response messages: {}",
            missing.join(", ")
        )
    }
}

/// The content as the one message that this protocol has for it.
fn message(content: &[Value]) -> Value {
    let texts = content.iter().filter(|block| block["type"] == "text");
    let text = texts.filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n");
    let calls: Vec<&Value> = content.iter().filter(|block| block["type"] == "function").collect();
    let text = if text.is_empty() { Value::Null } else { text.into() };
    let mut message = json!({"role": "assistant", "content": text, "refusal": null});
    if !calls.is_empty() {
        message["tool_calls"] = json!(calls);
    }
    message
}

/// An assistant's message without what may come back or not: nothing that is null or empty, and no notes on it.
fn bare(message: &Value) -> Value {
    let fields = message.as_object().into_iter().flatten();
    let kept = fields.filter(|(name, value)| match name.as_str() {
        "role" => true,
        "content" => reading::is_filled(value),
        "tool_calls" => !value.is_null(),
        _ => false,
    });
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn turns(messages: &[Value]) -> Result<Vec<Heard>, Refusal> {
    let mut turns: Vec<Heard> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let at = format!("messages[{index}]");
        let filled = reading::is_filled(&message["content"]);
        let given = match message["role"].as_str() {
            Some("system" | "developer") if turns.is_empty() => continue,
            Some("user") if filled => None,
            Some("tool") if message["content"].is_string() && message["tool_call_id"].is_string() => {
                Some(Given { id: message["tool_call_id"].as_str().map(str::to_owned), name: None })
            }
            Some("assistant") if filled || message["tool_calls"].is_array() => {
                turns.push(Heard::Model { at, items: vec![bare(message)] });
                continue;
            }
            _ => {
                return Err(Refusal::invalid(format!(
                    "{at}: a message is the system's (at first), user's, assistant's or a tool's with its tool_call_id, and has content"
                )));
            }
        };
        match turns.last_mut() {
            Some(Heard::Caller { results }) => results.extend(given),
            _ => turns.push(Heard::Caller { results: given.into_iter().collect() }),
        }
    }
    Ok(turns)
}
