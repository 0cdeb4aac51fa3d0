//! Tokens: the same request always counts the same, and the cache answers what it has seen.

use rehearsal::Rehearsal;
use serde_json::{Value, json};

use crate::stage::{first_answer, request, result, script, send, user};

/// The counts of an answer: uncached, read, written, output.
fn counts(answer: &Value) -> [u64; 4] {
    ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens"]
        .map(|name| answer["usage"][name].as_u64().unwrap())
}

fn marked(mut message: Value) -> Value {
    message["content"][0]["cache_control"] = json!({"type": "ephemeral"});
    message
}

#[tokio::test]
async fn without_marks_nothing_is_cached() {
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    let body = request(json!([user("go")]));
    let first = counts(&send(&rehearsal, &body).await.1);
    assert_eq!(counts(&send(&rehearsal, &body).await.1), first);
    assert_eq!(&first[1..3], [0, 0]);
    let stable = json!(["claude-haiku-4-5", body["tools"], null]).to_string().len();
    let message = user("go").to_string().len();
    assert_eq!(first[0] as usize, stable.div_ceil(4) + message.div_ceil(4));
}

#[tokio::test]
async fn what_was_written_is_read_by_the_next_request_and_the_totals_agree() {
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    let first = counts(&send(&rehearsal, &request(json!([marked(user("go"))]))).await.1);
    let [uncached, read, written, _] = first;
    assert_eq!((uncached, read), (0, 0));
    let messages =
        json!([user("go"), first_answer(), marked(result("toolu_rehearsal_1_2")), user("unmarked")]);
    let second = counts(&send(&rehearsal, &request(messages)).await.1);
    assert_eq!(second[1], written, "the whole first request");
    let tokens = |message: Value| message.to_string().len().div_ceil(4) as u64;
    assert_eq!(second[2], tokens(first_answer()) + tokens(result("toolu_rehearsal_1_2")));
    assert_eq!(second[0], tokens(user("unmarked")));
    let served = rehearsal.served();
    let totals = [served.uncached, served.cache_read, served.cache_write_5m, served.output];
    assert_eq!(totals, [0, 1, 2, 3].map(|kind| first[kind] + second[kind]));
    assert_eq!((served.requests, served.refused), (2, 0));
}

#[tokio::test]
async fn another_beginning_is_another_prefix() {
    let rehearsal = Rehearsal::start(script()).await.unwrap();
    send(&rehearsal, &request(json!([marked(user("go"))]))).await;
    let other = counts(&send(&rehearsal, &request(json!([marked(user("stay"))]))).await.1);
    assert_eq!(other[1], 0);
}
