//! Google's generateContent: what is sent, what goes back unchanged, what an answer becomes.

use agent::{Model, ModelError, Reply, Stop, Turn};
use domain::{Money, Protocol, ToolCall, Usage};
use serde_json::{Value, json};

use crate::answers::{generated, ok};
use crate::provider::{KEY, Part, Provider, bash, hello, request};

const MODEL: &str = "gemini-3.1-pro-preview";

async fn answer(body: Value) -> Result<Reply, ModelError> {
    let provider = Provider::plays(vec![ok(&body)]).await;
    provider.model(MODEL).ask(request(&bash(), &hello())).await
}

/// The second request, after the model said `parts` and `results` came back.
async fn second(parts: Value, results: Vec<(String, String, bool)>) -> Value {
    let provider =
        Provider::plays(vec![ok(&generated(MODEL, parts, "STOP")), ok(&generated(MODEL, json!([]), "STOP"))])
            .await;
    let model = provider.model(MODEL);
    let mut turns = hello();
    let Reply { protocol, content, tool_calls, text, .. } =
        model.ask(request(&bash(), &turns)).await.unwrap();
    let results =
        tool_calls.iter().zip(results).map(|(call, (_, output, bad))| (call.id.clone(), output, bad));
    let results = Turn::ToolResults(results.collect());
    turns.push(Turn::Assistant { protocol, model: MODEL.into(), content, tool_calls, text });
    turns.push(results);
    model.ask(request(&bash(), &turns)).await.unwrap();
    serde_json::from_str(&provider.seen()[1].body).unwrap()
}

#[tokio::test]
async fn the_first_call_is_exactly_this() {
    let provider = Provider::plays(vec![ok(&generated(MODEL, json!([]), "STOP"))]).await;
    provider.model(MODEL).ask(request(&bash(), &hello())).await.unwrap();
    let seen = &provider.seen()[0];
    assert_eq!(seen.path, "POST /v1beta/models/gemini-3.1-pro-preview:generateContent HTTP/1.1");
    assert_eq!(seen.header("x-goog-api-key"), Some(KEY));
    let expected = concat!(
        r#"{"systemInstruction":{"parts":[{"text":"Fix it."}]},"#,
        r#""tools":[{"functionDeclarations":[{"name":"bash","description":"Runs a shell command.","parametersJsonSchema":"#,
        r#"{"type":"object","properties":{"command":{"type":"string"}},"required":["command"]}}]}],"#,
        r#""contents":[{"role":"user","parts":[{"text":"hello"}]}],"generationConfig":{"maxOutputTokens":1000}}"#,
    );
    assert_eq!(seen.body, expected);
}

#[tokio::test]
async fn parts_go_back_with_their_signatures_and_results_name_only_ids_that_were_given() {
    let parts = json!([
        {"text": "hm", "thought": true, "thoughtSignature": "c2lnMQ=="},
        {"functionCall": {"name": "bash", "args": {"command": "ls"}}, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "edit", "args": {}, "id": "f_2"}},
    ]);
    let result = |output: &str, is_error| (String::new(), output.to_owned(), is_error);
    let body = second(parts.clone(), vec![result("a file", false), result("no such file", true)]).await;
    assert_eq!(body["contents"][1], json!({"role": "model", "parts": parts}));
    let results = json!({"role": "user", "parts": [
        {"functionResponse": {"name": "bash", "response": {"output": "a file"}}},
        {"functionResponse": {"id": "f_2", "name": "edit", "response": {"error": "no such file"}}},
    ]});
    assert_eq!(body["contents"][2], results);
}

#[tokio::test]
async fn calls_of_another_model_carry_the_word_for_no_signature() {
    let provider = Provider::plays(vec![ok(&generated(MODEL, json!([]), "STOP"))]).await;
    let call =
        |name: &str| ToolCall { id: "toolu_1".into(), name: name.into(), input: json!({"command": "ls"}) };
    let turns = [
        Turn::User("hello".into()),
        Turn::Assistant {
            protocol: Protocol::GeminiGenerateContent,
            model: "gemini-2.5-flash".into(),
            content: json!([{"functionCall": {"name": "bash", "args": {}}, "thoughtSignature": "Zm9yZWlnbg=="}]),
            tool_calls: vec![call("bash"), call("edit")],
            text: "I look.".into(),
        },
        Turn::ToolResults(vec![("toolu_1".into(), "x".into(), false), ("toolu_1".into(), "y".into(), false)]),
    ];
    provider.model(MODEL).ask(request(&[], &turns)).await.unwrap();
    let seen = provider.seen()[0].body.clone();
    let body: Value = serde_json::from_str(&seen).unwrap();
    assert!(!seen.contains("Zm9yZWlnbg"), "no signature of another model");
    let parts = &body["contents"][1]["parts"];
    assert_eq!(parts[0], json!({"text": "I look."}));
    assert_eq!(parts[1]["thoughtSignature"], "skip_thought_signature_validator");
    assert!(parts[2].get("thoughtSignature").is_none());
    assert_eq!(body["contents"][2]["parts"][1]["functionResponse"]["name"], "edit");
}

#[tokio::test]
async fn thoughts_are_output_and_no_words() {
    let parts = json!([
        {"text": "secret thought", "thought": true}, {"text": "I "}, {"text": "look."},
        {"functionCall": {"name": "bash", "args": {"command": "ls"}}},
        {"functionCall": {"name": "bash"}},
    ]);
    let reply = answer(generated("models/gemini-3.1-pro-preview", parts.clone(), "STOP")).await.unwrap();
    assert_eq!((reply.protocol, &reply.content), (Protocol::GeminiGenerateContent, &parts));
    assert_eq!((reply.text.as_str(), reply.stop), ("I look.", Stop::ToolUse));
    let calls: Vec<_> = reply.tool_calls.iter().map(|call| (call.id.as_str(), call.input.clone())).collect();
    assert_eq!(calls, [("g_1-0", json!({"command": "ls"})), ("g_1-1", json!({}))]);
    assert_eq!(
        reply.usage,
        Usage { uncached: 40, cache_read: 60, output: 20, reasoning: 8, ..Usage::default() }
    );
    assert_eq!(reply.cost, Money(80 + 12 + 240));
    assert_eq!((reply.model.as_str(), reply.request_id.as_deref()), (MODEL, Some("g_1")));
}

#[tokio::test]
async fn every_end_has_its_name() {
    let call = json!([{"functionCall": {"name": "bash", "args": {}}}]);
    let cases = [
        (json!([{"text": "so"}]), "STOP", Stop::EndTurn),
        (call.clone(), "STOP", Stop::ToolUse),
        (call, "MAX_TOKENS", Stop::MaxOutput),
        (json!([]), "SAFETY", Stop::Refusal),
        (json!([]), "PROHIBITED_CONTENT", Stop::Refusal),
        (json!([]), "MALFORMED_FUNCTION_CALL", Stop::EndTurn),
        (json!([]), "UNEXPECTED_TOOL_CALL", Stop::EndTurn),
        (json!([]), "OF_THE_FUTURE", Stop::EndTurn),
    ];
    for (parts, reason, expected) in cases {
        assert_eq!(answer(generated(MODEL, parts, reason)).await.unwrap().stop, expected, "{reason}");
    }
}

#[tokio::test]
async fn a_malformed_call_is_paid_for_and_said_in_words() {
    let mut body = generated(MODEL, Value::Null, "MALFORMED_FUNCTION_CALL");
    body["candidates"][0]["content"] = json!({});
    body["candidates"][0]["finishMessage"] = json!("Malformed function call: print(bash(");
    let reply = answer(body).await.unwrap();
    assert_eq!((reply.tool_calls.len(), reply.content), (0, json!([])));
    assert_eq!(reply.text, "Malformed function call: print(bash(");
    assert_eq!(reply.usage.output, 20);
}

#[tokio::test]
async fn a_prompt_that_is_blocked_is_a_refusal() {
    let body = json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 7},
                      "modelVersion": MODEL});
    let reply = answer(body).await.unwrap();
    assert_eq!((reply.stop, reply.usage.uncached, reply.usage.output), (Stop::Refusal, 7, 0));
}

#[tokio::test]
async fn the_model_that_answers_in_place_of_another_sets_the_price() {
    let provider = Provider::plays(vec![ok(&generated(MODEL, json!([]), "STOP"))]).await;
    let model = provider.model("gemini-2.5-flash");
    let reply = model.ask(request(&[], &hello())).await.unwrap();
    assert_eq!((reply.model.as_str(), reply.cost), (MODEL, Money(80 + 12 + 240)));
}

#[tokio::test]
async fn garbage_is_malformed_and_says_how() {
    let mut uncounted = generated(MODEL, json!([]), "STOP");
    uncounted["usageMetadata"].take();
    let cases = [
        (json!({"usageMetadata": {"promptTokenCount": 1}}), "no candidates"),
        (json!({"candidates": [7], "usageMetadata": {"promptTokenCount": 1}}), "no candidates"),
        (json!({"candidates": "x"}), "no candidates"),
        (generated(MODEL, json!("x"), "STOP"), "no list of parts"),
        (generated(MODEL, json!([{"functionCall": {"args": {}}}]), "STOP"), "without naming it"),
        (uncounted, "no promptTokenCount"),
    ];
    for (body, words) in cases {
        let error = answer(body).await.unwrap_err();
        assert!(matches!(&error, ModelError::Malformed { message } if message.contains(words)), "{error}");
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_told_from_a_bad_request_and_a_wait_is_read_in_the_body() {
    let ask = async |status: u16, body: Value| {
        let provider = Provider::plays(vec![
            Part::Answer(status, vec![], body.to_string()),
            ok(&generated(MODEL, json!([]), "STOP")),
        ])
        .await;
        (provider.model(MODEL).ask(request(&[], &hello())).await, provider.seen().len())
    };
    let invalid = json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "API key not valid.",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]}});
    let (refused, _) = ask(400, invalid).await;
    assert!(refused.unwrap_err().to_string().contains("put a valid GOOGLE_API_KEY into the secrets"));
    let wait = |delay: &str| {
        json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota and billing",
            "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]}})
    };
    assert!(matches!(ask(429, wait("0.001s")).await, (Ok(_), 2)));
    let (late, requests) = ask(429, wait("3600s")).await;
    assert!(late.unwrap_err().to_string().contains("left alone for 3600000 ms"));
    assert_eq!(requests, 1);
}
