//! Which answer a request gets. Pure: the number of assistant's messages in the request decides, so that a job that
//! resumes on another worker goes on where it was, and many jobs can be rehearsed at once.

use serde_json::Value;

use crate::count::tokens;
use crate::refusal::Refusal;
use crate::script::Script;

/// What a request is answered with.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub content: Value,
    pub stop_reason: &'static str,
    pub output_tokens: u64,
}

/// The answer of `script` to `request`, or why it has none.
pub(crate) fn answer(script: &Script, request: &Value) -> Result<Answer, Refusal> {
    let max_tokens = request["max_tokens"].as_u64().filter(|&max| max > 0);
    let max_tokens =
        max_tokens.ok_or_else(|| Refusal::invalid("max_tokens: a number of 1 or more is required"))?;
    if request["model"].as_str().is_none_or(str::is_empty) {
        return Err(Refusal::invalid("model: a name is required"));
    }
    if request["stream"] == true {
        return Err(Refusal::invalid("stream: a rehearsal answers in one piece"));
    }
    let messages = request["messages"].as_array().filter(|messages| !messages.is_empty());
    let messages = messages.ok_or_else(|| Refusal::invalid("messages: at least one message is required"))?;
    let said = follow(script, messages)?;
    let Some(turn) = script.turns.get(said) else {
        return Err(Refusal::invalid(format!(
            "the rehearsal {} ends after {} answers and has none to this request: the job should have finished by now",
            script.name,
            script.turns.len()
        )));
    };
    let content = turn.served(said + 1);
    offered(script, said + 1, &content, &request["tools"])?;
    Ok(within(content, max_tokens))
}

/// Checks that the conversation is one of this script's, and counts the answers in it.
fn follow(script: &Script, messages: &[Value]) -> Result<usize, Refusal> {
    let mut said = 0;
    for (index, message) in messages.iter().enumerate() {
        if message["content"].as_array().is_none_or(Vec::is_empty)
            && message["content"].as_str().is_none_or(str::is_empty)
        {
            return Err(Refusal::invalid(format!("messages.{index}: all messages must have content")));
        }
        match message["role"].as_str() {
            Some("user") => {}
            Some("assistant") if index > 0 => {
                said += 1;
                let expected = script.turns.get(said - 1).map(|turn| Value::Array(turn.served(said)));
                if expected.as_ref() != Some(&message["content"]) {
                    return Err(Refusal::invalid(format!(
                        "messages.{index}: the rehearsal {} did not give this as its answer {said}: send back unchanged what it said",
                        script.name
                    )));
                }
                answered(index, message, messages.get(index + 1))?;
            }
            _ => {
                return Err(Refusal::invalid(format!(
                    "messages.{index}: the role must be user, or after it assistant"
                )));
            }
        }
    }
    match messages.last() {
        Some(last) if last["role"] == "user" => Ok(said),
        _ => Err(Refusal::invalid("messages: the last one must be the user's")),
    }
}

/// Every tool call must have its result in the very next message.
fn answered(index: usize, message: &Value, next: Option<&Value>) -> Result<(), Refusal> {
    let results = blocks(next.map_or(&Value::Null, |next| &next["content"]), "tool_result");
    let results: Vec<&Value> = results.map(|block| &block["tool_use_id"]).collect();
    let missing: Vec<&str> = blocks(&message["content"], "tool_use")
        .filter(|call| !results.contains(&&call["id"]))
        .filter_map(|call| call["id"].as_str())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {}",
        index + 1,
        missing.join(", ")
    )))
}

fn offered(script: &Script, turn: usize, content: &[Value], tools: &Value) -> Result<(), Refusal> {
    let tools = tools.as_array().map(Vec::as_slice).unwrap_or_default();
    let called = content.iter().filter(|block| block["type"] == "tool_use").map(|block| &block["name"]);
    match called.into_iter().find(|name| !tools.iter().any(|tool| tool["name"] == **name)) {
        None => Ok(()),
        Some(name) => Err(Refusal::invalid(format!(
            "the rehearsal {} calls the tool {name} in its answer {turn}, which this request does not offer: rehearse a task that has it",
            script.name
        ))),
    }
}

/// The content, cut off where a model with this bound would have stopped.
fn within(mut content: Vec<Value>, max_tokens: u64) -> Answer {
    let calls = content.iter().any(|block| block["type"] == "tool_use");
    let whole = tokens(&Value::Array(content.clone()));
    if whole <= max_tokens {
        let stop_reason = if calls { "tool_use" } else { "end_turn" };
        return Answer { content: content.into(), stop_reason, output_tokens: whole };
    }
    // A half tool call is of no use to anybody: what remains is what is complete.
    while tokens(&Value::Array(content.clone())) > max_tokens && content.pop().is_some() {}
    Answer { content: content.into(), stop_reason: "max_tokens", output_tokens: max_tokens }
}

fn blocks<'a>(content: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    content.as_array().into_iter().flatten().filter(move |block| block["type"] == kind)
}
