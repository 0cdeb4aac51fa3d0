//! OpenAI's Responses, without state on the provider's side.
//!
//! Each answer begins with a reasoning item. It is sealed (`encrypted_content`) if the caller includes that, and must come
//! back as it was together with what follows it: a caller that keeps nothing with the provider (`store: false`) and did not
//! ask for the seal has lost it.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use crate::conversation::Answer;
use crate::count::{Count, tokens};
use crate::openai;
use crate::protocol::{Asked, Call, Given, Heard, Part, Wire};
use crate::reading;
use crate::refusal::Refusal;
use crate::script::{Block, Turn, seal};

/// The least bound on the output that the provider takes.
const LEAST_OUTPUT: u64 = 16;

pub(crate) struct Responses;

impl Wire for Responses {
    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        openai::admit(headers)
    }

    fn read(&self, _path: &str, request: &Value) -> Result<Asked, Refusal> {
        let max_output = reading::bound("max_output_tokens", &request["max_output_tokens"], LEAST_OUTPUT)?;
        let model = reading::model(&request["model"])?;
        reading::in_one_piece(request)?;
        let spoken = [json!({"role": "user", "content": request["input"]})];
        let items = match &request["input"] {
            Value::String(_) => &spoken[..],
            input => input.as_array().map(Vec::as_slice).unwrap_or_default(),
        };
        let items = match items {
            [] => return Err(Refusal::invalid("input: at least one item is required")),
            items => items,
        };
        let include = request["include"].as_array().into_iter().flatten();
        let sealed = include.into_iter().any(|name| name == "reasoning.encrypted_content");
        if request["store"] == false && items.iter().any(is_unsealed) {
            return Err(Refusal::invalid(
                "a reasoning item without encrypted_content was not found: items are not persisted when `store` is false; \
                 include reasoning.encrypted_content",
            ));
        }
        let tools = request["tools"].as_array().into_iter().flatten();
        let tools = tools.filter(|tool| tool["type"] == "function");
        let stable = json!([request["model"], request["tools"], request["instructions"]]);
        let opening = items.iter().find(|item| item["role"] == "user");
        Ok(Asked {
            model,
            max_output,
            tools: tools.filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect(),
            opening: reading::words(opening.map_or(&Value::Null, |item| &item["content"])),
            turns: turns(items)?,
            parts: std::iter::once(stable).chain(items.iter().cloned()).map(Part::plain).collect(),
            thinks: sealed,
        })
    }

    fn content(&self, turn: &Turn, number: usize, asked: &Asked) -> Vec<Value> {
        let mut thought = json!({"type": "reasoning", "id": format!("rs_rehearsal_{number}"), "summary": []});
        if asked.thinks {
            thought["encrypted_content"] = seal(number).into();
        }
        let item = |(index, block): (usize, &Block)| match block {
            Block::Text { text } => json!({
                "type": "message", "id": format!("msg_rehearsal_{number}_{}", index + 1), "status": "completed",
                "role": "assistant", "content": [{"type": "output_text", "text": text, "annotations": []}],
            }),
            Block::ToolUse { name, input } => json!({
                "type": "function_call", "id": format!("fc_rehearsal_{number}_{}", index + 1), "status": "completed",
                "call_id": openai::call_id(number, index), "name": name, "arguments": openai::arguments(input),
            }),
        };
        std::iter::once(thought).chain(turn.content.iter().enumerate().map(item)).collect()
    }

    fn calls(&self, items: &[Value]) -> Vec<Call> {
        let calls = items.iter().filter(|item| item["type"] == "function_call");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        calls
            .filter_map(|item| Some(Call { id: text(&item["call_id"])?, name: text(&item["name"])? }))
            .collect()
    }

    fn thoughts(&self, content: &[Value]) -> u64 {
        content.iter().filter(|item| item["type"] == "reasoning").map(tokens).sum()
    }

    fn answer(&self, answer: &Answer, count: &Count, number: u64) -> Value {
        let (status, incomplete) = match answer.is_cut {
            true => ("incomplete", json!({"reason": "max_output_tokens"})),
            false => ("completed", Value::Null),
        };
        json!({
            "id": format!("resp_rehearsal_{number}"),
            "object": "response",
            "created_at": 0,
            "status": status,
            "error": null,
            "incomplete_details": incomplete,
            "instructions": null,
            "metadata": {},
            "model": "rehearsal",
            "output": answer.content,
            "parallel_tool_calls": true,
            "tool_choice": "auto",
            "tools": [],
            "service_tier": "default",
            "usage": {
                "input_tokens": count.input(),
                "input_tokens_details": {"cached_tokens": count.cache_read, "cache_write_tokens": 0},
                "output_tokens": count.output,
                "output_tokens_details": {"reasoning_tokens": count.reasoning},
                "total_tokens": count.input() + count.output,
            },
        })
    }

    fn refusal(&self, refusal: &Refusal, _request_id: &str) -> Value {
        openai::refusal(refusal)
    }

    fn lost(&self, _at: &str, items: &[Value], served: &[Value]) -> Option<String> {
        let thought = served.first()?;
        let found = items.iter().find(|item| item["type"] == "reasoning");
        match found {
            None => {
                let orphan = items.iter().find(|item| item["id"].is_string())?;
                Some(format!(
                    "Item {} of type {} was provided without its required 'reasoning' item: {}",
                    orphan["id"], orphan["type"], thought["id"]
                ))
            }
            Some(found) if found != thought => {
                Some(format!("The encrypted content for item {} could not be verified", found["id"]))
            }
            Some(_) => None,
        }
    }

    fn foreign(&self, items: &[Value], _asked: &Asked) -> Option<Vec<Block>> {
        let block = |item: &Value| match item["type"].as_str() {
            Some("function_call") if !openai::is_own(&item["call_id"]) => {
                reading::call_block(&item["name"], &item["arguments"])
            }
            None | Some("message") if !item["id"].is_string() => {
                Some(Block::Text { text: reading::words(&item["content"]) })
            }
            _ => None,
        };
        items.iter().map(block).collect()
    }

    fn unanswered(&self, _at: &str, missing: &[String]) -> String {
        format!("No tool output found for function call {}.", missing.join(", "))
    }
}

fn is_unsealed(item: &Value) -> bool {
    item["type"] == "reasoning" && item["encrypted_content"].is_null()
}

/// The flat list in turns. Instructions for the model may stand before the first.
fn turns(items: &[Value]) -> Result<Vec<Heard>, Refusal> {
    let mut turns: Vec<Heard> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = format!("input[{index}]");
        match (item["type"].as_str(), item["role"].as_str()) {
            (None | Some("message"), Some("system" | "developer")) if turns.is_empty() => {}
            (None | Some("message"), Some("user")) => {
                if !reading::is_filled(&item["content"]) {
                    return Err(Refusal::invalid(format!("{at}: the message has no content")));
                }
                caller(&mut turns, None);
            }
            (Some("function_call_output"), None) => {
                let id = item["call_id"].as_str().map(str::to_owned);
                let id = id.ok_or_else(|| Refusal::invalid(format!("{at}.call_id: an id is required")))?;
                if !item["output"].is_string() && !item["output"].is_array() {
                    return Err(Refusal::invalid(format!("{at}.output: a string or a list is required")));
                }
                caller(&mut turns, Some(Given { id: Some(id), name: None }));
            }
            (None | Some("message"), Some("assistant")) | (Some("reasoning" | "function_call"), None) => {
                match turns.last_mut() {
                    Some(Heard::Model { items, .. }) => items.push(item.clone()),
                    _ => turns.push(Heard::Model { at, items: vec![item.clone()] }),
                }
            }
            _ => return Err(Refusal::invalid(format!("{at}: there is no such item here"))),
        }
    }
    Ok(turns)
}

/// One more thing that the caller says, or the result that it gives.
fn caller(turns: &mut Vec<Heard>, given: Option<Given>) {
    match turns.last_mut() {
        Some(Heard::Caller { results }) => results.extend(given),
        _ => turns.push(Heard::Caller { results: given.into_iter().collect() }),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn a_turn_ends_where_the_other_side_speaks() {
        let items = [
            json!({"role": "developer", "content": "be brief"}),
            json!({"role": "user", "content": "go"}),
            json!({"type": "reasoning", "id": "rs_1", "summary": []}),
            json!({"type": "function_call", "call_id": "c1", "name": "bash", "arguments": "{}"}),
            json!({"type": "function_call_output", "call_id": "c1", "output": "x"}),
            json!({"role": "user", "content": "and?"}),
        ];
        let turns = turns(&items).unwrap();
        assert_eq!(turns.len(), 3);
        assert!(matches!(&turns[1], Heard::Model { items, .. } if items.len() == 2));
        assert!(matches!(&turns[2], Heard::Caller { results } if results.len() == 1));
    }

    #[test]
    fn instructions_in_the_middle_are_none() {
        let items = [json!({"role": "user", "content": "go"}), json!({"role": "system", "content": "no"})];
        assert_eq!(turns(&items).unwrap_err().status, StatusCode::BAD_REQUEST);
    }
}
