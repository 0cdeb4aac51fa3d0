//! What is tried again, what is not, and what the errors say. Counted in requests, not in seconds.

use std::time::Duration;

use agent::{Model, ModelError, Reply, Request};

use crate::provider::{KEY, Part, Provider, adapter, done, error, hello, request};

/// The result and the number of requests that it took.
async fn ask(parts: Vec<Part>) -> (Result<Reply, ModelError>, usize) {
    let provider = Provider::plays(parts).await;
    let result = provider.adapter().ask(request(&[], &hello())).await;
    (result, provider.seen().len())
}

fn unavailable(result: Result<Reply, ModelError>) -> (String, bool) {
    match result.unwrap_err() {
        ModelError::Unavailable { message, billed } => (message, billed),
        other => panic!("not unavailable: {other}"),
    }
}

#[tokio::test]
async fn what_may_pass_and_is_not_charged_is_tried_again() {
    for status in [409, 429, 500, 503, 529] {
        let (result, requests) = ask(vec![error(status, "x_error", "later", vec![]), done()]).await;
        assert_eq!((result.unwrap().text.as_str(), requests), ("done", 2), "{status}");
    }
}

#[tokio::test]
async fn the_pause_that_the_provider_asks_for_is_kept() {
    let parts = vec![
        error(429, "rate_limit_error", "slow down", vec![("retry-after-ms", "1"), ("retry-after", "3600")]),
        error(529, "overloaded_error", "busy", vec![("retry-after", "0.001")]),
        done(),
    ];
    assert_eq!(ask(parts).await.1, 3);
}

#[tokio::test]
async fn a_pause_longer_than_the_time_left_is_not_begun() {
    let parts = vec![error(429, "rate_limit_error", "slow down", vec![("retry-after", "3600")]), done()];
    let (result, requests) = ask(parts).await;
    let (message, billed) = unavailable(result);
    assert!(
        message.starts_with("HTTP 429, rate_limit_error: slow down (given up after 1 attempt, "),
        "{message}"
    );
    assert!(message.contains("left alone for 3600000 ms"), "{message}");
    assert_eq!((requests, billed), (1, false));
}

#[tokio::test]
async fn the_provider_says_whether_to_retry() {
    let never = error(529, "overloaded_error", "busy", vec![("x-should-retry", "false")]);
    let (result, requests) = ask(vec![never, done()]).await;
    assert!(unavailable(result).0.contains("more are of no use now"));
    assert_eq!(requests, 1);
    let please = error(400, "invalid_request_error", "odd", vec![("x-should-retry", "true")]);
    assert_eq!(ask(vec![please, done()]).await.1, 2);
}

#[tokio::test]
async fn there_is_an_end_to_it() {
    let parts = (0..40).map(|_| error(529, "overloaded_error", "busy", vec![])).collect();
    let (result, requests) = ask(parts).await;
    assert!(unavailable(result).0.contains("given up after 30 attempts"));
    assert_eq!(requests, 30);
}

#[tokio::test]
async fn what_only_a_person_can_change_is_refused_at_once_with_what_to_do() {
    let should_retry = vec![("x-should-retry", "true")];
    let low = "Your credit balance is too low to access the Anthropic API.";
    let cases = [
        (401, "authentication_error", "invalid x-api-key", "put a valid ANTHROPIC_API_KEY into the secrets"),
        (403, "permission_error", "not yours", "use a key that may call claude-haiku-4-5"),
        (
            404,
            "not_found_error",
            "model: claude-haiku-4-5",
            "name another model, or check ANTHROPIC_BASE_URL",
        ),
        (402, "billing_error", "pay", "add credit or raise the limit"),
        (400, "invalid_request_error", low, "add credit or raise the limit"),
        (
            429,
            "rate_limit_error",
            "You have reached your specified API usage limits.",
            "add credit or raise the limit",
        ),
        (413, "request_too_large", "too large", "give a smaller task"),
        (
            400,
            "invalid_request_error",
            "prompt is too long: 210000 tokens > 200000 maximum",
            "give a smaller task",
        ),
    ];
    for (status, kind, said, advice) in cases {
        let headers = if status == 413 || said.contains("too long") { vec![] } else { should_retry.clone() };
        let (result, requests) = ask(vec![error(status, kind, said, headers), done()]).await;
        let error = result.unwrap_err();
        let money = advice.contains("credit");
        let message = match &error {
            ModelError::OutOfMoney { message } if money => message,
            ModelError::Refused { message } if !money => message,
            _ => panic!("not refused for that: {error}"),
        };
        assert!(message.contains(advice) && message.contains(said), "{message}");
        assert_eq!(requests, 1, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_key() {
    let there = Part::Answer(307, vec![("location", "http://127.0.0.1:1/elsewhere")], String::new());
    let (result, requests) = ask(vec![there]).await;
    let message = result.unwrap_err().to_string();
    assert!(message.contains("HTTP 307") && message.contains("ANTHROPIC_BASE_URL"), "{message}");
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn an_error_names_the_request_and_never_the_key() {
    let said = format!("the key {KEY} is bad\x1b[2J");
    let part = error(401, "authentication_error", &said, vec![("request-id", "req_9")]);
    let message = ask(vec![part]).await.0.unwrap_err().to_string();
    assert!(message.contains("request req_9") && message.contains("[key]"), "{message}");
    assert!(!message.contains(KEY) && !message.contains('\x1b'), "{message}");
}

#[tokio::test]
async fn an_error_page_that_is_no_json_is_shown_in_part() {
    let page = Part::Answer(503, vec![("retry-after", "3600")], "<html>".repeat(1_000));
    let (message, _) = unavailable(ask(vec![page]).await.0);
    assert!(message.contains("<html>") && message.len() < 1_000, "{message}");
}

#[tokio::test]
async fn an_answer_that_may_be_charged_is_lost_and_not_asked_for_again() {
    let page =
        |status| Part::Answer(status, vec![("retry-after-ms", "1")], "<html>a gateway</html>".to_owned());
    let mut lost = vec![Part::Cut, Part::CutBody, page(500), page(503)];
    lost.extend([408, 502, 504, 520, 524].map(|status| error(status, "timeout_error", "late", vec![])));
    for (at, part) in lost.into_iter().enumerate() {
        let (result, requests) = ask(vec![part, done()]).await;
        let (message, billed) = unavailable(result);
        assert!(billed && message.contains("may be charged"), "{at}: {message}");
        assert_eq!(requests, 1, "{at}: {message}");
    }
}

#[tokio::test]
async fn an_answer_lost_after_a_free_retry_is_lost_all_the_same() {
    let (result, requests) = ask(vec![
        error(529, "overloaded_error", "busy", vec![]),
        error(504, "timeout_error", "late", vec![("x-should-retry", "true")]),
        done(),
    ])
    .await;
    assert_eq!((unavailable(result).1, requests), (true, 2));
}

#[tokio::test]
async fn an_error_of_any_form_is_read() {
    for body in ["[7]", "\"down\"", "7", "null", "{\"error\": \"down\"}", ""] {
        let part = Part::Answer(500, vec![], body.to_owned());
        assert!(unavailable(ask(vec![part]).await.0).1, "{body}: nobody knows what it means");
    }
}

#[tokio::test]
async fn a_busy_page_of_a_gateway_bills_nothing() {
    for status in [429, 529] {
        let page = Part::Answer(status, vec![], "busy".to_owned());
        assert_eq!(ask(vec![page, done()]).await.1, 2, "{status}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_bills_nothing() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://user:password@{}", free.local_addr().unwrap());
    drop(free);
    let (message, billed) = unavailable(adapter(&url).ask(request(&[], &hello())).await);
    assert!(message.contains("refused") && !message.contains("password"), "{message}");
    assert!(!billed);
}

#[tokio::test]
async fn a_provider_that_stalls_is_left_when_the_time_is_up() {
    let provider = Provider::plays(vec![Part::Stall, done()]).await;
    let turns = hello();
    let timeout = Duration::from_millis(200);
    let error = provider.adapter().ask(Request { timeout, ..request(&[], &turns) }).await.unwrap_err();
    assert!(matches!(error, ModelError::TimedOut { waited, billed: true } if waited == timeout), "{error}");
    assert_eq!(error.to_string(), "the model did not answer within 200 ms");
    assert_eq!(provider.seen().len(), 1);
}
