//! OpenAI's Responses: what is sent, what goes back unchanged, what an answer becomes.

use agent::{Model, ModelError, Reply, Stop, Turn};
use domain::{Money, Protocol, Usage};
use serde_json::{Value, json};

use crate::answers::{function_call, ok, output_text, reasoning, responses};
use crate::provider::{KEY, Part, Provider, bash, hello, request};

const MODEL: &str = "gpt-5.1";

async fn answer(body: Value) -> Result<Reply, ModelError> {
    let provider = Provider::plays(vec![ok(&body)]).await;
    provider.model(MODEL).ask(request(&bash(), &hello())).await
}

fn turn(reply: Reply) -> Turn {
    let Reply { protocol, content, tool_calls, text, .. } = reply;
    Turn::Assistant { protocol, model: MODEL.into(), content, tool_calls, text }
}

#[tokio::test]
async fn the_first_call_is_exactly_this() {
    let provider = Provider::plays(vec![ok(&responses(MODEL, json!([output_text("done")])))]).await;
    provider.model(MODEL).ask(request(&bash(), &hello())).await.unwrap();
    let seen = &provider.seen()[0];
    assert_eq!(seen.path, "POST /v1/responses HTTP/1.1");
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    let expected = concat!(
        r#"{"model":"gpt-5.1","max_output_tokens":1000,"instructions":"Fix it.","#,
        r#""tools":[{"type":"function","name":"bash","description":"Runs a shell command.","parameters":"#,
        r#"{"type":"object","properties":{"command":{"type":"string"}},"required":["command"]},"strict":false}],"#,
        r#""parallel_tool_calls":true,"store":false,"include":["reasoning.encrypted_content"],"#,
        r#""service_tier":"default","prompt_cache_key":"codeteam-088986f761adb45f","#,
        r#""input":[{"role":"user","content":"hello"}]}"#,
    );
    assert_eq!(seen.body, expected);
}

#[tokio::test]
async fn what_the_model_said_goes_back_unchanged_and_the_cache_is_led_to_one_place() {
    let output = json!([reasoning(), function_call("call_a", "bash", r#"{ "command": "ls" }"#)]);
    let first = responses(MODEL, output.clone());
    let provider = Provider::plays(vec![ok(&first), ok(&responses(MODEL, json!([output_text("x")])))]).await;
    let model = provider.model(MODEL);
    let mut turns = hello();
    let reply = model.ask(request(&bash(), &turns)).await.unwrap();
    turns.extend([turn(reply), Turn::ToolResults(vec![("call_a".into(), "a file".into(), false)])]);
    model.ask(request(&bash(), &turns)).await.unwrap();
    let bodies: Vec<Value> =
        provider.seen().iter().map(|seen| serde_json::from_str(&seen.body).unwrap()).collect();
    let result = json!({"type": "function_call_output", "call_id": "call_a", "output": "a file"});
    assert_eq!(
        bodies[1]["input"],
        json!([{"role": "user", "content": "hello"}, output[0], output[1], result])
    );
    assert!(provider.seen()[1].body.contains(&output[1].to_string()), "byte for byte");
    assert_eq!(bodies[0]["prompt_cache_key"], bodies[1]["prompt_cache_key"]);
}

#[tokio::test]
async fn reasoning_that_nothing_follows_stays_here() {
    let mut cut = responses(MODEL, json!([reasoning()]));
    (cut["status"], cut["incomplete_details"]) =
        (json!("incomplete"), json!({"reason": "max_output_tokens"}));
    let provider = Provider::plays(vec![ok(&cut), ok(&responses(MODEL, json!([])))]).await;
    let model = provider.model(MODEL);
    let mut turns = hello();
    let reply = model.ask(request(&[], &turns)).await.unwrap();
    assert_eq!(reply.stop, Stop::MaxOutput);
    turns.extend([turn(reply), Turn::User("go on".into())]);
    model.ask(request(&[], &turns)).await.unwrap();
    let body: Value = serde_json::from_str(&provider.seen()[1].body).unwrap();
    assert_eq!(body["input"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_answer_is_read_in_full_and_its_counts_are_disjoint() {
    let output = json!([
        reasoning(), output_text("I look."),
        function_call("call_a", "bash", r#"{"command":"ls"}"#), function_call("call_b", "bash", ""),
        {"type": "of_the_future", "x": 1},
    ]);
    let reply = answer(responses("gpt-5.1-2025-11-13", output.clone())).await.unwrap();
    assert_eq!((reply.protocol, &reply.content), (Protocol::OpenaiResponses, &output));
    assert_eq!((reply.text.as_str(), reply.stop), ("I look.", Stop::ToolUse));
    assert_eq!(reply.tool_calls[0].input, json!({"command": "ls"}));
    assert_eq!(reply.tool_calls[1].input, json!({}));
    let usage = Usage {
        uncached: 10,
        cache_read: 60,
        cache_write_5m: 20,
        cache_write_1h: 10,
        output: 20,
        reasoning: 8,
    };
    assert_eq!(reply.usage, usage);
    // 40 at 1.25, 60 at 0.125, 20 at 10 dollars a million, rounded up once.
    assert_eq!(reply.cost, Money(258));
    assert_eq!(reply.model, "gpt-5.1-2025-11-13");
    assert_eq!(reply.request_id.as_deref(), Some("resp_1"));
    assert_eq!(reply.raw_usage["service_tier"], "default");
}

#[tokio::test]
async fn every_end_has_its_name() {
    let refusal = json!({"type": "message", "id": "m", "role": "assistant", "status": "completed",
                         "content": [{"type": "refusal", "refusal": "I will not."}]});
    let call = function_call("a", "bash", "{}");
    let cases = [
        (json!([output_text("so")]), None, Stop::EndTurn),
        (json!([call]), None, Stop::ToolUse),
        (json!([call]), Some("max_output_tokens"), Stop::MaxOutput),
        (json!([output_text("so")]), Some("content_filter"), Stop::Refusal),
        (json!([refusal]), None, Stop::Refusal),
        (json!([]), Some("of_the_future"), Stop::EndTurn),
    ];
    for (output, reason, expected) in cases {
        let mut body = responses(MODEL, output);
        body["incomplete_details"] = reason.map_or(Value::Null, |reason| json!({ "reason": reason }));
        assert_eq!(answer(body).await.unwrap().stop, expected, "{reason:?}");
    }
}

#[tokio::test]
async fn malformed_calls_are_told_of_and_not_lost() {
    let reply =
        answer(responses(MODEL, json!([function_call("a\u{0}b", "bash", "{\"command\": ")]))).await.unwrap();
    assert_eq!(reply.tool_calls[0].input, json!("{\"command\": "));
    assert_eq!(reply.tool_calls[0].id, "a\u{FFFD}b");
    assert_eq!(reply.content[0]["call_id"], "a\u{FFFD}b", "the result will name the id that goes back");
    let nameless = json!({"type": "function_call", "call_id": "a", "arguments": "{}"});
    let error = answer(responses(MODEL, json!([nameless]))).await.unwrap_err();
    assert!(error.to_string().contains("calls a tool without naming it"), "{error}");
}

#[tokio::test]
async fn an_answer_that_failed_is_tried_again_only_if_nothing_was_counted() {
    let failed = |code: &str, usage: Value| {
        let mut body = responses(MODEL, json!([]));
        body["status"] = json!("failed");
        body["error"] = json!({"code": code, "message": "sorry"});
        body["usage"] = usage;
        body
    };
    let counted = responses(MODEL, json!([]))["usage"].clone();
    let ask = async |body: Value| {
        let parts: Vec<Part> = vec![ok(&body), ok(&responses(MODEL, json!([output_text("done")])))];
        let provider = Provider::plays(parts).await;
        let result = provider.model(MODEL).ask(request(&[], &hello())).await;
        (result, provider.seen().len())
    };
    assert!(matches!(ask(failed("server_error", Value::Null)).await, (Ok(_), 2)));
    let (lost, requests) = ask(failed("server_error", counted)).await;
    assert!(matches!(lost, Err(ModelError::Unavailable { billed: true, .. })), "{lost:?}");
    assert_eq!(requests, 1);
    let (refused, _) = ask(failed("invalid_prompt", Value::Null)).await;
    assert!(matches!(refused, Err(ModelError::Refused { .. })), "{refused:?}");
}

#[tokio::test]
async fn garbage_is_malformed_and_says_how() {
    let mut nameless = responses(MODEL, json!([]));
    nameless["model"].take();
    let mut uncounted = responses(MODEL, json!([]));
    uncounted["usage"] = json!({"input_tokens": -1});
    let mut listless = responses(MODEL, json!([]));
    listless["output"] = json!("x");
    let cases =
        [(nameless, "name the model"), (uncounted, "no input_tokens"), (listless, "no list of output")];
    for (body, words) in cases {
        let error = answer(body).await.unwrap_err();
        assert!(matches!(&error, ModelError::Malformed { message } if message.contains(words)), "{error}");
    }
    let mut absurd = responses(MODEL, json!([]));
    absurd["usage"]["input_tokens_details"]["cached_tokens"] = json!(u64::MAX);
    let usage = answer(absurd).await.unwrap().usage;
    assert_eq!((usage.uncached, usage.cache_read), (0, 100), "no more is cached than there is");
}
