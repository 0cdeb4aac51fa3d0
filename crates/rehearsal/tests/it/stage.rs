//! A caller of a rehearsal.

use rehearsal::{Rehearsal, Script};
use serde_json::{Value, json};

pub fn script() -> Script {
    let text = json!({"name": "two", "description": "Looks and is done.", "turns": [
        {"content": [{"type": "text", "text": "I look."}, {"type": "tool_use", "name": "bash", "input": {"command": "ls"}}]},
        {"content": [{"type": "text", "text": "Done."}]},
    ]});
    Script::parse(&text.to_string()).unwrap()
}

pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Sends `body`, with a key; gives back the status and the answer.
pub async fn send(rehearsal: &Rehearsal, body: &Value) -> (u16, Value) {
    let url = format!("{}/v1/messages", rehearsal.url());
    let request = client().post(url).header("x-api-key", "any").header("anthropic-version", "2023-06-01");
    let response = request.body(body.to_string()).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The error's type and message.
pub async fn refused(rehearsal: &Rehearsal, body: &Value) -> (u16, String) {
    let (status, body) = send(rehearsal, body).await;
    assert_eq!(body["type"], "error");
    let error = &body["error"];
    (status, format!("{}: {}", error["type"].as_str().unwrap(), error["message"].as_str().unwrap()))
}

pub fn request(messages: Value) -> Value {
    let tools = json!([{"name": "bash", "description": "d", "input_schema": {"type": "object"}}]);
    json!({"model": "claude-haiku-4-5", "max_tokens": 1_000, "tools": tools, "messages": messages})
}

pub fn user(text: &str) -> Value {
    json!({"role": "user", "content": [{"type": "text", "text": text}]})
}

pub fn first_answer() -> Value {
    json!({"role": "assistant", "content": [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "toolu_rehearsal_1_2", "name": "bash", "input": {"command": "ls"}},
    ]})
}

pub fn result(id: &str) -> Value {
    json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "README"}]})
}
