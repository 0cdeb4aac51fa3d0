//! What is answered, and what is refused as the provider would.

use std::time::Duration;

use rehearsal::Rehearsal;
use serde_json::{Value, json};

use crate::stage::{client, first_answer, refused, request, result, script, send, user};

#[tokio::test]
async fn it_plays_its_turns_and_names_itself() {
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    let (status, first) = send(&rehearsal, &request(json!([user("go")]))).await;
    assert_eq!((status, &first["model"]), (200, &json!("rehearsal")));
    assert_eq!((&first["content"], &first["stop_reason"]), (&first_answer()["content"], &json!("tool_use")));
    let messages = json!([user("go"), first_answer(), result("toolu_rehearsal_1_2")]);
    let (_, second) = send(&rehearsal, &request(messages)).await;
    assert_eq!(second["content"], json!([{"type": "text", "text": "Done."}]));
    assert_eq!(second["stop_reason"], "end_turn");
}

#[tokio::test]
async fn the_request_alone_decides_so_a_resumed_job_goes_on() {
    let messages = json!([user("go"), first_answer(), result("toolu_rehearsal_1_2"), user("and?")]);
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    for _ in 0..2 {
        let (_, answer) = send(&rehearsal, &request(messages.clone())).await;
        assert_eq!(answer["content"][0]["text"], "Done.");
    }
}

#[tokio::test]
async fn past_its_end_it_says_so() {
    let done = json!({"role": "assistant", "content": [{"type": "text", "text": "Done."}]});
    let messages = json!([user("go"), first_answer(), result("toolu_rehearsal_1_2"), done, user("more")]);
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    let (status, message) = refused(&rehearsal, &request(messages)).await;
    assert_eq!(status, 400);
    assert!(
        message.starts_with("invalid_request_error: the rehearsal two ends after 2 answers"),
        "{message}"
    );
}

#[tokio::test]
async fn a_request_that_does_not_fit_says_why() {
    let mut changed = first_answer();
    changed["content"][1]["input"]["command"] = json!("ls -a");
    let with = |field: &str, value: Value| {
        let mut request = request(json!([user("go")]));
        request[field] = value;
        request
    };
    let cases = [
        (
            with("tools", json!([{"name": "read"}])),
            "calls the tool \"bash\" in its answer 1, which this request does not offer",
        ),
        (with("max_tokens", json!(0)), "max_tokens"),
        (with("model", json!(null)), "model: a name is required"),
        (with("stream", json!(true)), "answers in one piece"),
        (request(json!([])), "at least one message"),
        (request(json!([first_answer()])), "the role must be user"),
        (request(json!([{"role": "user", "content": []}])), "all messages must have content"),
        (
            request(json!([user("go"), changed, result("toolu_rehearsal_1_2")])),
            "did not give this as its answer 1",
        ),
        (
            request(json!([user("go"), first_answer(), result("other")])),
            "without `tool_result` blocks immediately after: toolu_rehearsal_1_2",
        ),
        (
            request(json!([user("go"), first_answer(), user("hm"), result("toolu_rehearsal_1_2")])),
            "messages.1: `tool_use`",
        ),
    ];
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    for (request, expected) in &cases {
        let (status, message) = refused(&rehearsal, request).await;
        assert!(status == 400 && message.contains(expected), "{message}");
    }
    assert_eq!((rehearsal.served().requests, rehearsal.served().refused), (0, cases.len() as u64));
}

#[tokio::test]
async fn without_a_key_there_is_no_answer() {
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    let url = format!("{}/v1/messages", rehearsal.url());
    let response = client().post(&url).body("{}").send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["request-id"], "req_rehearsal_1");
    let body: Value = response.json().await.unwrap();
    assert_eq!(
        body["error"],
        json!({"type": "authentication_error", "message": "x-api-key header is required"})
    );
    let response = client().post(&url).header("x-api-key", "k").body("{}").send().await.unwrap();
    assert_eq!(response.status(), 400, "the version is missing");
    let bearer = client().post(&url).header("authorization", "Bearer k").body("{}").send().await.unwrap();
    assert_eq!(bearer.status(), 400, "a key is a key in either header");
    let elsewhere = client().get(format!("{}/v1/models", rehearsal.url())).send().await.unwrap();
    assert_eq!(elsewhere.json::<Value>().await.unwrap()["error"]["type"], "not_found_error");
}

#[tokio::test]
async fn an_answer_longer_than_its_bound_is_cut_like_a_models() {
    let mut short = request(json!([user("go")]));
    short["max_tokens"] = json!(12);
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    let (_, answer) = send(&rehearsal, &short).await;
    assert_eq!(answer["content"], json!([{"type": "text", "text": "I look."}]));
    assert_eq!(
        (&answer["stop_reason"], &answer["usage"]["output_tokens"]),
        (&json!("max_tokens"), &json!(12))
    );
}

#[tokio::test]
async fn a_stopped_rehearsal_has_answered_what_it_took_and_takes_no_more() {
    let rehearsal = Rehearsal::start_paced(script(), Duration::from_millis(1)).await.unwrap();
    let url = format!("{}/v1/messages", rehearsal.url());
    send(&rehearsal, &request(json!([user("go")]))).await;
    assert_eq!(rehearsal.stop().await.requests, 1);
    assert!(client().post(url).send().await.unwrap_err().is_connect());
}
