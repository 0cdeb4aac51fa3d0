//! Google's generateContent.
//!
//! The first function call of an answer, or the last text of one that calls nothing, bears a signature of the thoughts behind it. Newer
//! models refuse a conversation that lost it; a rehearsal does so for all of them. What another provider's model said
//! has none: a placeholder says so, which models before the third do without.

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::conversation::Answer;
use crate::count::{Count, tokens};
use crate::protocol::{Asked, Call, Given, Heard, Part, Wire};
use crate::reading;
use crate::refusal::Refusal;
use crate::script::{Block, Turn, seal};

/// What stands in place of a signature in a turn that was made elsewhere, by the provider's own documentation.
const PLACEHOLDERS: [&str; 2] = ["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"];
const OWN: &str = "call_rehearsal_";

pub(crate) struct Gemini;

impl Wire for Gemini {
    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let said = "Method doesn't allow unregistered callers: send a key in the header x-goog-api-key";
        reading::key(headers, "x-goog-api-key", reading::no_key(StatusCode::FORBIDDEN, said))
    }

    fn read(&self, path: &str, request: &Value) -> Result<Asked, Refusal> {
        let Some(model) = path.strip_suffix(":generateContent").filter(|model| !model.is_empty()) else {
            return Err(Refusal::not_found());
        };
        let bound = &request["generationConfig"]["maxOutputTokens"];
        let max_output = reading::bound("generationConfig.maxOutputTokens", bound, 1)?;
        let contents = request["contents"].as_array().filter(|contents| !contents.is_empty());
        let contents = contents.ok_or_else(|| Refusal::invalid("contents is not specified"))?;
        let turns = contents.iter().enumerate().map(heard).collect::<Result<_, _>>()?;
        let tools = request["tools"].as_array().into_iter().flatten();
        let declared = tools.filter_map(|tool| tool["functionDeclarations"].as_array()).flatten();
        let stable = json!([model, request["tools"], request["systemInstruction"]]);
        Ok(Asked {
            model: model.to_owned(),
            max_output,
            tools: declared.filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect(),
            opening: reading::words(&contents[0]["parts"]),
            turns,
            parts: std::iter::once(stable).chain(contents.iter().cloned()).map(Part::plain).collect(),
            thinks: true,
        })
    }

    fn content(&self, turn: &Turn, number: usize, _asked: &Asked) -> Vec<Value> {
        let part = |(index, block): (usize, &Block)| match block {
            Block::Text { text } => json!({"text": text}),
            Block::ToolUse { name, input } => {
                let id = format!("{OWN}{number}_{}", index + 1);
                json!({"functionCall": {"id": id, "name": name, "args": input}})
            }
        };
        let mut parts: Vec<Value> = turn.content.iter().enumerate().map(part).collect();
        let first_call = parts.iter().position(is_call);
        let signed = first_call.unwrap_or(parts.len() - 1);
        parts[signed]["thoughtSignature"] = seal(number).into();
        parts
    }

    fn calls(&self, items: &[Value]) -> Vec<Call> {
        let calls = items.iter().filter(|part| is_call(part)).map(|part| &part["functionCall"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        calls.map(|call| Call { id: text(&call["id"]), name: text(&call["name"]) }).collect()
    }

    /// As many as the signature says.
    fn thoughts(&self, content: &[Value]) -> u64 {
        content
            .iter()
            .filter(|part| part["thoughtSignature"].is_string())
            .map(|part| tokens(&part["thoughtSignature"]))
            .sum()
    }

    fn answer(&self, answer: &Answer, count: &Count, number: u64) -> Value {
        let finish = if answer.is_cut { "MAX_TOKENS" } else { "STOP" };
        let mut usage = json!({
            "promptTokenCount": count.input(),
            "candidatesTokenCount": count.output - count.reasoning,
            "thoughtsTokenCount": count.reasoning,
            "totalTokenCount": count.input() + count.output,
        });
        if count.cache_read > 0 {
            usage["cachedContentTokenCount"] = count.cache_read.into();
        }
        json!({
            "candidates": [{"content": {"role": "model", "parts": answer.content}, "finishReason": finish, "index": 0}],
            "usageMetadata": usage,
            "modelVersion": "rehearsal",
            "responseId": format!("rehearsal-{number}"),
        })
    }

    fn refusal(&self, refusal: &Refusal, _request_id: &str) -> Value {
        let status = match refusal.status {
            StatusCode::FORBIDDEN => "PERMISSION_DENIED",
            StatusCode::NOT_FOUND => "NOT_FOUND",
            _ => "INVALID_ARGUMENT",
        };
        json!({"error": {"code": refusal.status.as_u16(), "message": refusal.message, "status": status}})
    }

    fn lost(&self, at: &str, items: &[Value], served: &[Value]) -> Option<String> {
        let place = served.iter().position(|part| part["thoughtSignature"].is_string())?;
        match items.get(place).map(|part| &part["thoughtSignature"]) {
            None | Some(Value::Null) => {
                Some(format!("Function call in {at} is missing a thought_signature in functionCall parts"))
            }
            Some(found) if *found != served[place]["thoughtSignature"] => {
                Some(format!("Thought signature in {at} is not valid"))
            }
            Some(_) => None,
        }
    }

    fn foreign(&self, items: &[Value], asked: &Asked) -> Option<Vec<Block>> {
        let old = asked.model.starts_with("gemini-2") || asked.model.starts_with("gemini-1");
        let placed = |part: &Value| match part["thoughtSignature"].as_str() {
            Some(signature) => PLACEHOLDERS.contains(&signature),
            None => part["thoughtSignature"].is_null(),
        };
        let first_call = items.iter().find(|part| is_call(part));
        let vouched = old || first_call.is_none_or(|part| part["thoughtSignature"].is_string());
        let block = |part: &Value| {
            let call = &part["functionCall"];
            let own = call["id"].as_str().is_some_and(|id| id.starts_with(OWN));
            match is_call(part) {
                true if own => None,
                true => Some(Block::ToolUse {
                    name: call["name"].as_str()?.to_owned(),
                    input: call["args"].as_object().cloned().unwrap_or_default(),
                }),
                false => Some(Block::Text { text: part["text"].as_str()?.to_owned() }),
            }
        };
        (vouched && items.iter().all(placed)).then(|| items.iter().map(block).collect())?
    }

    fn unanswered(&self, at: &str, missing: &[String]) -> String {
        format!(
            "Please ensure that the number of function response parts is equal to the number of function call parts of \
             the function call turn: {at} has none for {}",
            missing.join(", ")
        )
    }
}

fn is_call(part: &Value) -> bool {
    part["functionCall"].is_object()
}

fn heard((index, content): (usize, &Value)) -> Result<Heard, Refusal> {
    let at = format!("contents[{index}]");
    let parts = content["parts"].as_array().filter(|parts| !parts.is_empty());
    let parts = parts.ok_or_else(|| Refusal::invalid(format!("{at}.parts must not be empty")))?;
    match content["role"].as_str() {
        Some("user") | None => {
            let results = parts.iter().filter(|part| part["functionResponse"].is_object());
            Ok(Heard::Caller { results: results.map(|part| given(&part["functionResponse"])).collect() })
        }
        Some("model") if index > 0 => Ok(Heard::Model { at, items: parts.clone() }),
        _ => Err(Refusal::invalid(format!("{at}.role: please use a valid role: user, model"))),
    }
}

/// A result names its call by the function's name, and by the id if the caller keeps it.
fn given(response: &Value) -> Given {
    let text = |name: &str| response[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Given { id: text("id"), name: text("name") }
}
