//! The other protocols: a conversation in each, and what each refuses in its own words.

use rehearsal::{Protocol, Rehearsal};
use serde_json::{Value, json};

use crate::stage::{client, script};

/// One protocol as a caller speaks it.
struct Caller {
    protocol: Protocol,
    path: &'static str,
    key: (&'static str, &'static str),
}

const RESPONSES: Caller =
    Caller { protocol: Protocol::Responses, path: "/v1/responses", key: ("authorization", "Bearer any") };
const CHAT: Caller =
    Caller { protocol: Protocol::Chat, path: "/v1/chat/completions", key: ("authorization", "Bearer any") };
const GEMINI: Caller = Caller {
    protocol: Protocol::Gemini,
    path: "/v1beta/models/gemini-3.1-pro-preview:generateContent",
    key: ("x-goog-api-key", "any"),
};

impl Caller {
    async fn send(&self, rehearsal: &Rehearsal, body: &Value) -> (u16, Value) {
        let url = format!("{}{}", rehearsal.url(), self.path);
        let request = client().post(url).header(self.key.0, self.key.1).body(body.to_string());
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// The message of a refusal.
    async fn refused(&self, rehearsal: &Rehearsal, body: &Value) -> String {
        let (status, answer) = self.send(rehearsal, body).await;
        assert_eq!(status, 400, "{answer}");
        answer["error"]["message"].as_str().unwrap().to_owned()
    }
}

fn schema() -> Value {
    json!({"type": "object"})
}

fn responses(input: Value) -> Value {
    json!({"model": "gpt-5-mini", "max_output_tokens": 1_000, "store": false, "include": ["reasoning.encrypted_content"],
           "tools": [{"type": "function", "name": "bash", "parameters": schema()}], "input": input})
}

fn chat(messages: Value) -> Value {
    json!({"model": "local", "max_tokens": 1_000, "messages": messages,
           "tools": [{"type": "function", "function": {"name": "bash", "parameters": schema()}}]})
}

fn gemini(contents: Value) -> Value {
    json!({"contents": contents, "generationConfig": {"maxOutputTokens": 1_000},
           "tools": [{"functionDeclarations": [{"name": "bash", "parametersJsonSchema": schema()}]}]})
}

/// The items, and one more.
fn then(items: &[Value], last: &Value) -> Vec<Value> {
    items.iter().chain(std::iter::once(last)).cloned().collect()
}

fn list(parts: impl IntoIterator<Item = Value>) -> Value {
    parts.into_iter().collect()
}

#[tokio::test]
async fn responses_plays_to_its_end_and_counts_reasoning_and_the_cache() {
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    let go = json!({"role": "user", "content": "go"});
    let (_, first) = RESPONSES.send(&rehearsal, &responses(list([go.clone()]))).await;
    let output = first["output"].as_array().unwrap().clone();
    let kinds: Vec<&str> = output.iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["reasoning", "message", "function_call"]);
    assert_eq!(output[2]["arguments"], r#"{"command":"ls"}"#);
    let result = json!({"type": "function_call_output", "call_id": output[2]["call_id"], "output": "README"});
    let input = list([go].into_iter().chain(output).chain([result]));
    let (_, second) = RESPONSES.send(&rehearsal, &responses(input)).await;
    assert_eq!(second["output"][1]["content"][0]["text"], "Done.");
    assert_eq!((&second["model"], &second["status"]), (&json!("rehearsal"), &json!("completed")));
    let (one, two) = (&first["usage"], &second["usage"]);
    assert_eq!(two["input_tokens_details"]["cached_tokens"], one["input_tokens"], "all that was sent before");
    assert!(two["output_tokens_details"]["reasoning_tokens"].as_u64().unwrap() > 0);
    let served = rehearsal.served();
    let sum = |name: &str| one[name].as_u64().unwrap() + two[name].as_u64().unwrap();
    assert_eq!(served.uncached + served.cache_read, sum("input_tokens"));
    assert_eq!((served.output, served.cache_write_5m), (sum("output_tokens"), 0));
}

#[tokio::test]
async fn responses_refuses_what_lost_its_reasoning_or_its_results() {
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    let go = json!({"role": "user", "content": "go"});
    let (_, first) = RESPONSES.send(&rehearsal, &responses(list([go.clone()]))).await;
    let output = first["output"].as_array().unwrap().clone();
    let result = json!({"type": "function_call_output", "call_id": output[2]["call_id"], "output": "README"});
    let with = |items: Vec<Value>| responses(list([go.clone()].into_iter().chain(items)));
    let mut forged = output.clone();
    forged[0]["encrypted_content"] = json!("other");
    let mut unsealed = output.clone();
    unsealed[0].as_object_mut().unwrap().shift_remove("encrypted_content");
    let stray = json!({"type": "function_call_output", "call_id": "call_9", "output": "x"});
    let cases = [
        (with(then(&output[1..], &result)), "without its required 'reasoning' item"),
        (with(then(&forged, &result)), "could not be verified"),
        (with(then(&unsealed, &result)), "not persisted when `store` is false"),
        (with(then(&output, &go)), "No tool output found for function call call_rehearsal_1_2"),
        (with(then(&then(&output, &result), &stray)), "results of calls that it does not make: call_9"),
        (with(output.clone()), "No tool output"),
        (json!({"model": "m", "max_output_tokens": 15, "input": "go"}), "max_output_tokens: a number of 16"),
        (json!({"model": "m", "input": []}), "at least one item"),
        (json!({"model": "m", "input": "go"}), "which this request does not offer"),
    ];
    for (request, expected) in &cases {
        let message = RESPONSES.refused(&rehearsal, request).await;
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(rehearsal.served().refused, cases.len() as u64);
}

#[tokio::test]
async fn chat_completions_plays_to_its_end_without_a_key() {
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    let start = [json!({"role": "system", "content": "be brief"}), json!({"role": "user", "content": "go"})];
    let url = format!("{}{}", rehearsal.url(), CHAT.path);
    let keyless = client().post(url).body(chat(list(start.clone())).to_string()).send().await.unwrap();
    assert_eq!(keyless.status(), 200, "servers of one's own ask for none");
    let (_, first) = CHAT.send(&rehearsal, &chat(list(start.clone()))).await;
    let said = &first["choices"][0];
    assert_eq!(
        (&said["finish_reason"], &said["message"]["content"]),
        (&json!("tool_calls"), &json!("I look."))
    );
    let call = &said["message"]["tool_calls"][0];
    let result = json!({"role": "tool", "tool_call_id": call["id"], "content": "README"});
    let messages = start.into_iter().chain([said["message"].clone(), result]);
    let (_, second) = CHAT.send(&rehearsal, &chat(list(messages.clone()))).await;
    assert_eq!(second["choices"][0]["message"]["content"], "Done.");
    let usage = &second["usage"];
    let of = |pointer: &str| usage.pointer(pointer).unwrap().as_u64().unwrap();
    assert_eq!(of("/prompt_tokens") + of("/completion_tokens"), of("/total_tokens"));
    assert_eq!(of("/prompt_tokens_details/cached_tokens"), first["usage"]["prompt_tokens"].as_u64().unwrap());

    let mut changed: Vec<Value> = messages.collect();
    changed[2]["tool_calls"][0]["function"]["arguments"] = json!(r#"{"command":"rm"}"#);
    let message = CHAT.refused(&rehearsal, &chat(list(changed.clone()))).await;
    assert!(message.contains("did not give this as its answer 1"), "{message}");
    changed[2] = said["message"].clone();
    changed.pop();
    changed.push(json!({"role": "user", "content": "and?"}));
    let message = CHAT.refused(&rehearsal, &chat(list(changed))).await;
    assert!(message.contains("must be followed by tool messages"), "{message}");
}

#[tokio::test]
async fn gemini_plays_to_its_end_and_wants_its_signatures_back() {
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    let go = json!({"role": "user", "parts": [{"text": "go"}]});
    let (_, first) = GEMINI.send(&rehearsal, &gemini(list([go.clone()]))).await;
    let said = first["candidates"][0]["content"].clone();
    let call = &said["parts"][1];
    assert!(call["functionCall"]["name"] == "bash" && call["thoughtSignature"].is_string(), "{said}");
    let response = |name: &str| {
        let body = json!({"id": call["functionCall"]["id"], "name": name, "response": {"output": "README"}});
        json!({"role": "user", "parts": [{"functionResponse": body}]})
    };
    let (_, second) =
        GEMINI.send(&rehearsal, &gemini(list([go.clone(), said.clone(), response("bash")]))).await;
    assert_eq!(second["candidates"][0]["content"]["parts"][0]["text"], "Done.");
    let usage = &second["usageMetadata"];
    let of = |name: &str| usage[name].as_u64().unwrap();
    assert_eq!(
        of("totalTokenCount"),
        of("promptTokenCount") + of("candidatesTokenCount") + of("thoughtsTokenCount")
    );
    assert_eq!(of("cachedContentTokenCount"), first["usageMetadata"]["promptTokenCount"].as_u64().unwrap());
    let played = rehearsal.played();
    assert_eq!(played[1].protocol, GEMINI.protocol);
    assert_eq!(played[1].count.output, of("candidatesTokenCount") + of("thoughtsTokenCount"));

    let mut unsigned = said.clone();
    unsigned["parts"][1].as_object_mut().unwrap().shift_remove("thoughtSignature");
    let mut forged = said.clone();
    forged["parts"][1]["thoughtSignature"] = json!("b3RoZXI=");
    let cases = [
        (gemini(list([go.clone(), unsigned, response("bash")])), "missing a thought_signature"),
        (gemini(list([go.clone(), forged, response("bash")])), "is not valid"),
        (gemini(list([go.clone(), said.clone(), response("edit")])), "number of function response parts"),
        (gemini(list([go.clone(), said.clone(), go.clone()])), "number of function response parts"),
        (gemini(json!([])), "contents is not specified"),
    ];
    for (request, expected) in cases {
        let message = GEMINI.refused(&rehearsal, &request).await;
        assert!(message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn what_another_providers_model_said_is_taken_over_in_neutral_words() {
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    let input = json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": "I look."},
        {"type": "function_call", "call_id": "call_1_0", "name": "bash", "arguments": "{\"command\":\"ls\"}"},
        {"type": "function_call_output", "call_id": "call_1_0", "output": "README"},
    ]);
    assert_eq!(RESPONSES.send(&rehearsal, &responses(input)).await.0, 200);
    let call = json!({"functionCall": {"name": "bash", "args": {"command": "ls"}}, "thoughtSignature": "skip_thought_signature_validator"});
    let contents = |call: Value| {
        json!([
            {"role": "user", "parts": [{"text": "go"}]},
            {"role": "model", "parts": [{"text": "I look."}, call]},
            {"role": "user", "parts": [{"functionResponse": {"name": "bash", "response": {"output": "README"}}}]},
        ])
    };
    assert_eq!(GEMINI.send(&rehearsal, &gemini(contents(call.clone()))).await.0, 200);
    let mut unsigned = call;
    unsigned.as_object_mut().unwrap().shift_remove("thoughtSignature");
    assert_eq!(GEMINI.send(&rehearsal, &gemini(contents(unsigned))).await.0, 400);
    let messages = json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": "I look.", "tool_calls": [
            {"id": "call_1_0", "type": "function", "function": {"name": "bash", "arguments": "{\"command\":\"rm\"}"}}]},
        {"role": "tool", "tool_call_id": "call_1_0", "content": "README"},
    ]);
    let message = CHAT.refused(&rehearsal, &chat(messages)).await;
    assert!(message.contains("did not give this as its answer 1"), "{message}");
}

#[tokio::test]
async fn without_a_key_each_provider_says_so_in_its_own_form() {
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    let send = async |path: &str| {
        let answer = client().post(format!("{}{path}", rehearsal.url())).body("{}").send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, body) = send(RESPONSES.path).await;
    assert_eq!((status, &body["error"]["code"]), (401, &json!("invalid_api_key")));
    let (status, body) = send(GEMINI.path).await;
    assert_eq!((status, &body["error"]["status"]), (403, &json!("PERMISSION_DENIED")));
    let (status, body) = send("/v1beta/models/m:streamGenerateContent").await;
    assert_eq!((status, &body["error"]["status"]), (403, &json!("PERMISSION_DENIED")));
}

#[tokio::test]
async fn each_answer_that_is_too_long_is_cut_in_its_providers_way() {
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    let mut short = responses(json!("go"));
    short["max_output_tokens"] = json!(60);
    let (_, cut) = RESPONSES.send(&rehearsal, &short).await;
    assert_eq!(
        (&cut["status"], &cut["incomplete_details"]["reason"]),
        (&json!("incomplete"), &json!("max_output_tokens"))
    );
    assert_eq!(cut["usage"]["output_tokens"], 60);
    let mut short = chat(json!([{"role": "user", "content": "go"}]));
    short["max_tokens"] = json!(12);
    let (_, cut) = CHAT.send(&rehearsal, &short).await;
    assert_eq!(
        (&cut["choices"][0]["finish_reason"], &cut["usage"]["completion_tokens"]),
        (&json!("length"), &json!(12))
    );
    let mut short = gemini(json!([{"role": "user", "parts": [{"text": "go"}]}]));
    short["generationConfig"]["maxOutputTokens"] = json!(10);
    let (_, cut) = GEMINI.send(&rehearsal, &short).await;
    assert_eq!(cut["candidates"][0]["finishReason"], "MAX_TOKENS");
}
