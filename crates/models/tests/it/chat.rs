//! Chat completions: servers of one's own, which differ in what they leave out.

use agent::{Model, ModelError, Reply, Stop, Turn};
use domain::{Money, Protocol, Usage};
use models::{Keys, Settings};
use serde_json::{Value, json};

use crate::answers::{chat, ok};
use crate::provider::{KEY, Provider, bash, hello, models, request, settings, wish};

const MODEL: &str = "openai_chat:qwen3:8b";

async fn answer(body: Value) -> Result<Reply, ModelError> {
    let provider = Provider::plays(vec![ok(&body)]).await;
    provider.model(MODEL).ask(request(&bash(), &hello())).await
}

fn said(text: &str) -> Value {
    json!({"role": "assistant", "content": text})
}

fn call(id: Option<&str>, arguments: Value) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "bash", "arguments": arguments}})
}

#[tokio::test]
async fn the_first_call_is_exactly_this_and_needs_no_key() {
    let provider = Provider::plays(vec![ok(&chat("qwen3:8b", said("done"), "stop"))]).await;
    let open = models(Settings { keys: Keys::default(), ..settings(&provider.url) });
    open.chain(&wish(&[MODEL])).unwrap().ask(request(&bash(), &hello())).await.unwrap();
    let seen = &provider.seen()[0];
    assert_eq!(seen.path, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(seen.header("authorization"), None);
    let expected = concat!(
        r#"{"model":"qwen3:8b","max_tokens":1000,"tools":[{"type":"function","function":"#,
        r#"{"name":"bash","description":"Runs a shell command.","parameters":"#,
        r#"{"type":"object","properties":{"command":{"type":"string"}},"required":["command"]}}}],"#,
        r#""messages":[{"role":"system","content":"Fix it."},{"role":"user","content":"hello"}]}"#,
    );
    assert_eq!(seen.body, expected);
}

#[tokio::test]
async fn a_key_is_sent_where_there_is_one() {
    let provider = Provider::plays(vec![ok(&chat("qwen3:8b", said("done"), "stop"))]).await;
    provider.model(MODEL).ask(request(&[], &hello())).await.unwrap();
    assert_eq!(provider.seen()[0].header("authorization"), Some(format!("Bearer {KEY}").as_str()));
}

#[tokio::test]
async fn words_and_calls_go_back_and_reasoning_does_not() {
    let message = json!({"role": "assistant", "content": null, "reasoning_content": "hm",
                         "tool_calls": [call(Some("c1"), json!("{ \"command\": \"ls\" }"))]});
    let provider = Provider::plays(vec![
        ok(&chat("qwen3:8b", message, "tool_calls")),
        ok(&chat("qwen3:8b", said("done"), "stop")),
    ])
    .await;
    let model = provider.model(MODEL);
    let mut turns = hello();
    let Reply { protocol, content, tool_calls, text, .. } =
        model.ask(request(&bash(), &turns)).await.unwrap();
    assert_eq!(protocol, Protocol::OpenaiChat);
    turns.push(Turn::Assistant { protocol, model: MODEL.into(), content, tool_calls, text });
    turns.push(Turn::ToolResults(vec![("c1".into(), "a file".into(), false)]));
    model.ask(request(&bash(), &turns)).await.unwrap();
    let body: Value = serde_json::from_str(&provider.seen()[1].body).unwrap();
    let again = json!([
        {"role": "assistant", "content": null, "tool_calls": [call(Some("c1"), json!("{ \"command\": \"ls\" }"))]},
        {"role": "tool", "tool_call_id": "c1", "content": "a file"},
    ]);
    assert_eq!(body["messages"].as_array().unwrap()[2..], *again.as_array().unwrap());
}

#[tokio::test]
async fn an_answer_is_read_in_full() {
    let message = json!({"role": "assistant", "content": "I look.",
                         "tool_calls": [call(Some("c1"), json!("{\"command\":\"ls\"}"))]});
    let reply = answer(chat("qwen3:8b", message, "tool_calls")).await.unwrap();
    assert_eq!(
        (reply.text.as_str(), reply.stop, reply.model.as_str()),
        ("I look.", Stop::ToolUse, "qwen3:8b")
    );
    assert_eq!(reply.tool_calls[0].input, json!({"command": "ls"}));
    assert_eq!(
        reply.usage,
        Usage { uncached: 40, cache_read: 60, output: 20, reasoning: 8, ..Usage::default() }
    );
    assert_eq!(reply.cost, Money::ZERO);
}

#[tokio::test]
async fn calls_without_an_id_or_with_arguments_that_are_no_json_can_be_sent_back() {
    let message = json!({"role": "assistant", "content": "",
        "tool_calls": [call(None, json!("{\"command\": ")), call(Some(""), json!({"command": "ls"}))]});
    let reply = answer(chat("m", message, "tool_calls")).await.unwrap();
    let calls: Vec<_> = reply.tool_calls.iter().map(|call| (call.id.as_str(), call.input.clone())).collect();
    assert_eq!(
        calls,
        [("chatcmpl-1-0", json!("{\"command\": ")), ("chatcmpl-1-1", json!({"command": "ls"}))]
    );
    let again = reply.content["tool_calls"].as_array().unwrap();
    assert_eq!(again[0]["function"]["arguments"], "{\"unreadable\":\"{\\\"command\\\": \"}");
    assert_eq!(again[1]["function"]["arguments"], "{\"command\":\"ls\"}");
    assert_eq!((&again[0]["id"], &again[1]["id"]), (&json!("chatcmpl-1-0"), &json!("chatcmpl-1-1")));
}

#[tokio::test]
async fn every_end_has_its_name() {
    let refusal = json!({"role": "assistant", "content": null, "refusal": "I will not."});
    let cases = [
        (said("so"), "stop", Stop::EndTurn),
        (said("so"), "length", Stop::MaxOutput),
        (said(""), "content_filter", Stop::Refusal),
        (refusal, "stop", Stop::Refusal),
    ];
    for (message, reason, expected) in cases {
        assert_eq!(answer(chat("m", message, reason)).await.unwrap().stop, expected, "{reason}");
    }
}

#[tokio::test]
async fn what_a_server_may_leave_out_is_done_without_and_counts_are_not() {
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 2});
    let sparse = json!({"choices": [{"message": {"content": "hi"}}], "usage": usage});
    let reply = answer(sparse).await.unwrap();
    assert_eq!((reply.model.as_str(), reply.request_id), ("qwen3:8b", None));
    for (body, words) in [
        (json!({"choices": [{"message": {"content": "hi"}}]}), "no prompt_tokens"),
        (json!({"choices": [], "usage": usage}), "no choices"),
        (json!({"choices": [{}], "usage": usage}), "no message"),
    ] {
        let error = answer(body).await.unwrap_err();
        assert!(matches!(&error, ModelError::Malformed { message } if message.contains(words)), "{error}");
    }
}

#[tokio::test]
async fn a_server_may_count_more_than_the_setting_says_that_it_takes() {
    let counted = |tokens: u64| {
        let mut body = chat("qwen3:8b", said("done"), "stop");
        body["usage"]["prompt_tokens"] = json!(tokens);
        body
    };
    assert_eq!(answer(counted(50_000)).await.unwrap().usage.input(), 50_000);
    let error = answer(counted(10_000_001)).await.unwrap_err().to_string();
    assert!(error.contains("10000001 tokens of input"), "{error}");
}
