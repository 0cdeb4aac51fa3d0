//! What is sent, and what the tests take for answers, is what the providers' own SDKs have types for.
//!
//! `script/setup` installs the SDKs; the checker that uses them is `tests/sdk/check.py`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use agent::{Model, Request, Turn};
use domain::{Protocol, ToolCall};
use serde_json::{Value, json};

use crate::answers::{chat, function_call, generated, messages, ok, output_text, reasoning, responses};
use crate::provider::{Provider, bash, request};

const MODELS: [(&str, Protocol); 4] = [
    ("claude-haiku-4-5", Protocol::AnthropicMessages),
    ("gpt-5.1", Protocol::OpenaiResponses),
    ("openai_chat:qwen3", Protocol::OpenaiChat),
    ("gemini-3.1-pro-preview", Protocol::GeminiGenerateContent),
];

fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/model-sdks-venv/bin/python")
}

/// The SDK's complaint about each case; None where it has none.
fn complaints(cases: &[Value]) -> Vec<Option<String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/check.py");
    let mut child = Command::new(python())
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the SDKs are installed: run script/setup");
    child.stdin.take().unwrap().write_all(json!(cases).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the checker failed: see above");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn case(protocol: Protocol, kind: &str, body: &Value) -> Value {
    json!({"protocol": protocol, "kind": kind, "body": body})
}

/// An answer with words, a call, and what its provider wants back unchanged.
fn answer(protocol: Protocol) -> Value {
    match protocol {
        Protocol::AnthropicMessages => messages(
            json!([
                {"type": "thinking", "thinking": "hm", "signature": "EqQB"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {"command": "ls"}},
            ]),
            "tool_use",
        ),
        Protocol::OpenaiResponses => responses(
            "gpt-5.1-2025-11-13",
            json!([
                reasoning(),
                output_text("I look."),
                function_call("call_a", "bash", r#"{"command":"ls"}"#)
            ]),
        ),
        Protocol::OpenaiChat => chat(
            "qwen3",
            json!({"role": "assistant", "content": "I look.", "refusal": null, "tool_calls": [
                {"id": "call_a", "type": "function", "function": {"name": "bash", "arguments": "{\"command\":\"ls\"}"}},
            ]}),
            "tool_calls",
        ),
        Protocol::GeminiGenerateContent => generated(
            "gemini-3.1-pro-preview",
            json!([
                {"text": "I look."},
                {"functionCall": {"name": "bash", "args": {"command": "ls"}}, "thoughtSignature": "c2ln"},
                {"functionCall": {"name": "bash", "args": {}, "id": "f_2"}},
            ]),
            "STOP",
        ),
    }
}

/// What a model of another kind said, with all that a provider could refuse.
fn foreign() -> [Turn; 2] {
    let call = |name: &str, input| ToolCall { id: "sömë id\u{FFFD}".repeat(20), name: name.into(), input };
    let calls = vec![call("bash", json!({"command": "ls"})), call("läunch\u{FFFD}", json!("no object"))];
    let results = calls.iter().map(|call| (call.id.clone(), String::new(), true)).collect();
    let turn = Turn::Assistant {
        protocol: Protocol::OpenaiChat,
        model: "openai_chat:somebody-else".into(),
        content: json!({"role": "assistant", "content": "x"}),
        tool_calls: calls,
        text: "I try.".into(),
    };
    [turn, Turn::ToolResults(results)]
}

/// All bodies that a model sends in a conversation that began with another one.
async fn sent(name: &str, protocol: Protocol) -> Vec<Value> {
    let provider = Provider::plays((0..2).map(|_| ok(&answer(protocol))).collect()).await;
    let model = provider.model(name);
    let mut turns = vec![Turn::User("Do it.".into())];
    turns.extend(foreign());
    turns.push(Turn::User("Go on.".into()));
    let tools = bash();
    for _ in 0..2 {
        let reply = model.ask(request(&tools, &turns)).await.unwrap();
        let results = reply.tool_calls.iter().map(|call| (call.id.clone(), "a file".into(), false)).collect();
        turns.push(Turn::Assistant {
            protocol: reply.protocol,
            model: name.into(),
            content: reply.content,
            tool_calls: reply.tool_calls,
            text: reply.text,
        });
        turns.push(Turn::ToolResults(results));
    }
    provider.seen().iter().map(|seen| serde_json::from_str(&seen.body).unwrap()).collect()
}

#[tokio::test]
async fn the_sdks_have_types_for_all_that_is_sent_and_answered() {
    let mut cases = Vec::new();
    for (name, protocol) in MODELS {
        cases.push(case(protocol, "answer", &answer(protocol)));
        cases.extend(sent(name, protocol).await.iter().map(|body| case(protocol, "request", body)));
    }
    assert_eq!(cases.len(), 12);
    for (case, complaint) in cases.iter().zip(complaints(&cases)) {
        assert_eq!(complaint, None, "{case}");
    }
}

#[tokio::test]
async fn the_checker_finds_what_is_wrong() {
    let mut cases = Vec::new();
    for (name, protocol) in MODELS {
        let body = sent(name, protocol).await.remove(0);
        let mut unknown = body.clone();
        unknown["of_nobody"] = json!(1);
        let mut deep = body.clone();
        let list =
            ["messages", "input", "contents"].into_iter().find(|list| body.get(list).is_some()).unwrap();
        deep[list][0]["of_nobody"] = json!(1);
        let mut wrong = body;
        wrong[list][0]["role"] = json!(7);
        cases.extend([unknown, deep, wrong].iter().map(|body| case(protocol, "request", body)));
    }
    for (case, complaint) in cases.iter().zip(complaints(&cases)) {
        assert!(complaint.is_some(), "{case}");
    }
}

#[tokio::test]
async fn a_request_without_tools_and_instructions_is_one_too() {
    let mut cases = Vec::new();
    for (name, protocol) in MODELS {
        let provider = Provider::plays(vec![ok(&answer(protocol))]).await;
        let turns = [Turn::User("Hello.".into())];
        provider.model(name).ask(Request { system: " ", ..request(&[], &turns) }).await.unwrap();
        let body = serde_json::from_str(&provider.seen()[0].body).unwrap();
        cases.push(case(protocol, "request", &body));
    }
    assert_eq!(complaints(&cases), [const { None::<String> }; 4]);
}
