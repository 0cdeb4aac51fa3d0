//! What is sent, byte for byte.

use std::time::Duration;

use agent::{Model, Request, Turn};
use domain::Money;
use serde_json::{Value, json};

use crate::provider::{KEY, Part, Provider, adapter, bash, done, hello, reply, request, said as assistant};

async fn sent(request: Request<'_>) -> String {
    let provider = Provider::plays(vec![done()]).await;
    provider.adapter().ask(request).await.unwrap();
    provider.seen()[0].body.clone()
}

#[tokio::test]
async fn the_first_call_is_exactly_this() {
    let expected = concat!(
        r#"{"model":"claude-haiku-4-5","max_tokens":1000,"#,
        r#""system":[{"type":"text","text":"Fix it.","cache_control":{"type":"ephemeral"}}],"#,
        r#""tools":[{"name":"bash","description":"Runs a shell command.","input_schema":"#,
        r#"{"type":"object","properties":{"command":{"type":"string"}},"required":["command"]}}],"#,
        r#""messages":[{"role":"user","content":[{"type":"text","text":"hello","cache_control":{"type":"ephemeral"}}]}]}"#,
    );
    assert_eq!(sent(request(&bash(), &hello())).await, expected);
}

#[tokio::test]
async fn a_conversation_is_exactly_this() {
    let turns = [
        Turn::User("one".into()),
        assistant(json!([{"type": "tool_use", "id": "a", "name": "bash", "input": {"command": "ls"}}])),
        Turn::ToolResults(vec![("a".into(), "x".into(), false)]),
        assistant(json!([{"type": "tool_use", "id": "b", "name": "bash", "input": {}}])),
        Turn::ToolResults(vec![("b".into(), "no command".into(), true)]),
    ];
    let body: Value = serde_json::from_str(&sent(request(&[], &turns)).await).unwrap();
    let mark = json!({"type": "ephemeral"});
    let expected = json!([
        {"role": "user", "content": [{"type": "text", "text": "one"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "bash", "input": {"command": "ls"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "x", "cache_control": mark}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "b", "name": "bash", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "b", "content": "no command",
                                      "is_error": true, "cache_control": mark}]},
    ]);
    assert_eq!(body["messages"], expected);
    assert!(body.get("tools").is_none());
}

#[tokio::test]
async fn what_the_model_said_goes_back_byte_for_byte() {
    let content = concat!(
        r#"[{"type":"thinking","thinking":"é \u2028 \"quoted\"","signature":"EqQBCgIYAhIM+/=="},"#,
        r#"{"type":"redacted_thinking","data":"b64"},{"type":"of_the_future","z":1,"a":[1.5,null,{"y":18446744073709551615}]},"#,
        r#"{"type":"tool_use","id":"t","name":"bash","input":{"zeta":1,"alpha":-2}}]"#,
    );
    let body = format!(
        r#"{{"model":"claude-haiku-4-5","content":{content},"stop_reason":"tool_use","usage":{{"input_tokens":1,"output_tokens":1}}}}"#
    );
    let provider = Provider::plays(vec![Part::Answer(200, vec![], body), done()]).await;
    let model = provider.adapter();
    let reply = model.ask(request(&bash(), &hello())).await.unwrap();
    let mut turns = hello();
    turns.push(assistant(reply.content));
    turns.push(Turn::ToolResults(vec![("t".into(), "ok".into(), false)]));
    model.ask(request(&bash(), &turns)).await.unwrap();
    let again = format!(r#"{{"role":"assistant","content":{}}}"#, content.replace("\\u2028", "\u{2028}"));
    let second = &provider.seen()[1].body;
    assert!(second.contains(&again), "{second}");
}

#[tokio::test]
async fn each_request_begins_with_the_one_before() {
    let mut turns = hello();
    let mut before = String::new();
    for step in 0..4 {
        let body =
            sent(request(&bash(), &turns)).await.replace(r#","cache_control":{"type":"ephemeral"}"#, "");
        let prefix = before.trim_end_matches("]}");
        assert!(body.starts_with(prefix), "{body}\ndoes not begin with\n{prefix}");
        before = body;
        let id = format!("call_{step}");
        turns.push(assistant(
            json!([{"type": "tool_use", "id": id, "name": "bash", "input": {"command": "ls"}}]),
        ));
        turns.push(Turn::ToolResults(vec![(id, "file".into(), false)]));
    }
}

#[tokio::test]
async fn turns_that_carry_nothing_are_left_out() {
    let turns =
        [Turn::User("one".into()), assistant(json!([])), Turn::ToolResults(vec![]), Turn::User(" ".into())];
    let empty_system = Request { system: "", ..request(&[], &turns) };
    let body: Value = serde_json::from_str(&sent(empty_system).await).unwrap();
    assert_eq!(body["messages"].as_array().unwrap().len(), 1);
    assert!(body.get("system").is_none());
}

#[tokio::test]
async fn the_key_and_the_version_are_headers_and_the_path_follows_the_base() {
    let provider = Provider::plays(vec![done()]).await;
    adapter(&format!("{}/proxy/", provider.url)).ask(request(&[], &hello())).await.unwrap();
    let seen = &provider.seen()[0];
    assert_eq!(seen.path, "POST /proxy/v1/messages HTTP/1.1");
    assert_eq!(seen.header("x-api-key"), Some(KEY));
    assert_eq!(seen.header("anthropic-version"), Some("2023-06-01"));
}

#[tokio::test]
async fn no_more_output_is_asked_for_than_the_model_can_give() {
    let turns = hello();
    for (asked, expected) in [(u64::MAX, 64_000), (0, 1), (77, 77)] {
        let body = sent(Request { max_output: asked, timeout: Duration::MAX, ..request(&[], &turns) }).await;
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["max_tokens"], expected);
    }
}

#[tokio::test]
async fn the_bound_covers_every_byte_that_is_new() {
    let model = adapter("http://127.0.0.1:1");
    let tools = bash();
    let mut turns = hello();
    let first = model.input_bound(&request(&tools, &turns), None);
    let body = sent(request(&tools, &turns)).await;
    assert!(first >= 1_500 + "Fix it.hello".len() as u64 && first < body.len() as u64 + 2_000, "{first}");

    let output = "x\n".repeat(5_000);
    turns.push(assistant(json!([{"type": "tool_use", "id": "a", "name": "bash", "input": {}}])));
    turns.push(Turn::ToolResults(vec![("a".into(), output, false)]));
    let request = request(&tools, &turns);
    let known = model.input_bound(&request, Some((2, 700)));
    assert!((10_700..16_700).contains(&known), "{known}");
    assert!(model.input_bound(&request, None) >= 10_000 + first);
    assert_eq!(model.input_bound(&request, Some((9, 700))), model.input_bound(&request, Some((3, 700))));
    assert_eq!(model.input_bound(&request, Some((3, u64::MAX))), u64::MAX);
}

#[tokio::test]
async fn the_worst_case_is_never_less_than_what_is_charged() {
    let usage = json!({"input_tokens": 10, "cache_creation_input_tokens": 90, "output_tokens": 5,
                       "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 90}});
    let provider =
        Provider::plays(vec![Part::Answer(200, vec![], reply(json!([]), "end_turn", usage))]).await;
    let model = provider.adapter();
    let cost = model.ask(request(&[], &hello())).await.unwrap().cost;
    assert_eq!(cost, Money(10 + 180 + 25));
    assert!(model.worst_case(100, 5) >= cost);
}
