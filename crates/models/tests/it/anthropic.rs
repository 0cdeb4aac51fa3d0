//! What an answer becomes, and what cannot be set up.

use agent::{Model, ModelError, Stop};
use domain::{Money, Usage};
use serde_json::{Value, json};

use crate::provider::{KEY, Part, Provider, adapter, bash, hello, reply, request, settings};

async fn answer(body: String) -> Result<agent::Reply, ModelError> {
    let provider = Provider::plays(vec![Part::Answer(200, vec![("request-id", "req_7")], body)]).await;
    provider.adapter().ask(request(&bash(), &hello())).await
}

#[tokio::test]
async fn an_answer_is_read_in_full() {
    let content = json!([
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {"command": "ls"}},
        {"type": "tool_use", "id": "toolu_2", "name": "no_such", "input": {"z": 1, "a": 2}},
    ]);
    let usage = json!({
        "input_tokens": 7, "cache_read_input_tokens": 3_000, "cache_creation_input_tokens": 500, "output_tokens": 40,
        "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 100},
        "service_tier": "standard",
    });
    let reply = answer(reply(content.clone(), "tool_use", usage.clone())).await.unwrap();
    assert_eq!(reply.content, content);
    assert_eq!(reply.text, "I look.");
    let calls: Vec<_> = reply.tool_calls.iter().map(|call| (call.id.as_str(), call.name.as_str())).collect();
    assert_eq!(calls, [("toolu_1", "bash"), ("toolu_2", "no_such")]);
    assert_eq!(reply.tool_calls[1].input.to_string(), r#"{"z":1,"a":2}"#);
    assert_eq!(reply.stop, Stop::ToolUse);
    let disjoint = Usage {
        uncached: 7,
        cache_read: 3_000,
        cache_write_5m: 400,
        cache_write_1h: 100,
        output: 40,
        reasoning: 0,
    };
    assert_eq!(reply.usage, disjoint);
    assert_eq!(reply.cost, Money(7 + 300 + 500 + 200 + 200));
    assert_eq!(reply.model, "claude-haiku-4-5-20251001");
    assert_eq!(reply.request_id.as_deref(), Some("req_7"));
    assert_eq!(reply.raw_usage, usage);
}

#[tokio::test]
async fn counts_that_are_missing_or_null_are_zero_and_writes_without_a_split_live_five_minutes() {
    let usage = json!({"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": null,
                       "cache_creation_input_tokens": 9, "cache_creation": null});
    let usage = answer(reply(json!([]), "end_turn", usage)).await.unwrap().usage;
    assert_eq!(usage, Usage { uncached: 1, cache_write_5m: 9, output: 2, ..Usage::default() });
}

#[tokio::test]
async fn every_reason_to_stop_has_its_name() {
    let text = json!([{"type": "text", "text": "so"}]);
    let call = json!([{"type": "tool_use", "id": "a", "name": "bash", "input": {}}]);
    let cases = [
        ("end_turn", &text, Stop::EndTurn),
        ("stop_sequence", &text, Stop::EndTurn),
        ("tool_use", &call, Stop::ToolUse),
        ("max_tokens", &call, Stop::MaxOutput),
        ("refusal", &text, Stop::Refusal),
        ("model_context_window_exceeded", &text, Stop::ContextFull),
        ("of_the_future", &text, Stop::EndTurn),
        ("of_the_future", &call, Stop::ToolUse),
    ];
    for (reason, content, expected) in cases {
        let usage = json!({"input_tokens": 1, "output_tokens": 1});
        assert_eq!(answer(reply(content.clone(), reason, usage)).await.unwrap().stop, expected, "{reason}");
    }
}

#[tokio::test]
async fn the_model_that_answers_sets_the_price() {
    let priced = async |model: &str| {
        let body = json!({"model": model, "content": [], "stop_reason": "end_turn",
                          "usage": {"input_tokens": 1_000, "output_tokens": 0}});
        answer(body.to_string()).await.unwrap().cost
    };
    assert_eq!(priced("claude-opus-4-5-20251101").await, Money(5_000));
    assert_eq!(priced("nobody-knows-it").await, Money(1_000), "the price of the model that was asked");
}

#[tokio::test]
async fn garbage_is_malformed_and_says_how() {
    let cases: [(Value, &str); 4] = [
        (json!({"model": "m", "usage": {"input_tokens": 1, "output_tokens": 1}}), "no list of content"),
        (json!({"model": "m", "content": []}), "no input_tokens"),
        (json!({"content": [], "usage": {"input_tokens": 1, "output_tokens": 1}}), "not name the model"),
        (
            json!({"model": "m", "content": [{"type": "tool_use", "input": {}}]}),
            "calls a tool without naming it",
        ),
    ];
    let whole = cases.map(|(body, words)| (body.to_string(), words));
    for (body, words) in
        whole.into_iter().chain([("<html>".to_owned(), "not JSON"), ("[7]".to_owned(), "no JSON object")])
    {
        let error = answer(body).await.unwrap_err();
        assert!(matches!(&error, ModelError::Malformed { message } if message.contains(words)), "{error}");
    }
}

#[tokio::test]
async fn counts_that_cannot_be_are_not_believed() {
    let usage = |name: &str, count: Value| {
        let mut usage = json!({"input_tokens": 1, "output_tokens": 1, "cache_creation": {}});
        usage[name] = count;
        usage
    };
    let huge = i64::MAX as u64;
    let absurd = [
        (usage("output_tokens", json!(1_065)), "1065 tokens of output, and 1000 were asked for"),
        (usage("output_tokens", json!(huge)), "tokens of output"),
        (usage("input_tokens", json!(200_001)), "200001 tokens of input, and the model's context has 200000"),
        (usage("input_tokens", json!(u64::MAX)), "tokens of input"),
        (usage("cache_read_input_tokens", json!(huge)), "tokens of input"),
        (usage("cache_creation_input_tokens", json!(huge)), "tokens of input"),
        (usage("cache_creation", json!({"ephemeral_1h_input_tokens": huge})), "tokens of input"),
        (usage("cache_read_input_tokens", json!(1e30)), "no count as cache_read_input_tokens"),
        (usage("input_tokens", json!(-1)), "no input_tokens"),
    ];
    for (usage, words) in absurd {
        let error = answer(reply(json!([]), "end_turn", usage)).await.unwrap_err();
        assert!(matches!(&error, ModelError::Malformed { message } if message.contains(words)), "{error}");
    }
    for (name, count) in [("output_tokens", 1_064), ("input_tokens", 200_000)] {
        assert!(answer(reply(json!([]), "end_turn", usage(name, json!(count)))).await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn what_ends_up_in_the_ledger_has_no_control_characters() {
    let body = json!({
        "model": "x\u{0}y", "stop_reason": "tool_use",
        "content": [{"type": "tool_use", "id": "x\u{0}y\u{1b}", "name": "bash", "input": {"command": "\u{1b}"}}],
        "usage": {"input_tokens": 1, "output_tokens": 1, "service_tier": "x\u{0}y", "x\u{0}y": [{"a": "\u{7}"}]},
    });
    let reply = answer(body.to_string()).await.unwrap();
    assert_eq!(reply.model, "x\u{FFFD}y");
    assert_eq!(reply.tool_calls[0].id, "x\u{FFFD}y\u{FFFD}");
    assert_eq!(reply.content[0]["id"], "x\u{FFFD}y\u{FFFD}", "the result will name the id that goes back");
    assert_eq!(reply.tool_calls[0].input, json!({"command": "\u{1b}"}), "a command stays what it is");
    let usage = json!({"input_tokens": 1, "output_tokens": 1, "service_tier": "x\u{FFFD}y",
                       "x\u{FFFD}y": [{"a": "\u{FFFD}"}]});
    assert_eq!(reply.raw_usage, usage);
}

#[tokio::test]
async fn an_answer_of_more_than_16_megabytes_is_not_read_to_its_end() {
    let provider = Provider::plays(vec![Part::Huge(64)]).await;
    let error = provider.adapter().ask(request(&[], &hello())).await.unwrap_err();
    assert!(
        matches!(&error, ModelError::Malformed { message } if message == "it is larger than 16 MB"),
        "{error}"
    );
    assert_eq!(provider.seen().len(), 1, "it is not asked for again");
}

#[test]
fn the_key_is_in_no_debug_output() {
    let model = adapter("http://user:password@127.0.0.1:1");
    let shown = format!("{model:?} {:?}", settings("http://127.0.0.1:1"));
    assert!(!shown.contains(KEY) && !shown.contains("password"), "{shown}");
    assert_eq!(model.name(), "claude-haiku-4-5");
}
