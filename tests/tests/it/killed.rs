//! Workers that are killed at each step of a job in turn: whoever goes on says the same bytes, pays for no answer twice, and
//! ends with the same change.

use std::time::Duration;

use domain::{Event, JobState, Outcome};
use serde_json::{Value, json};
use system_tests::{Counted, ModelServer, PATIENCE, Repo, Say, Team};
use testkit::TestDatabase;
use tokio_postgres::Client;

const REPO: &[(&str, &str)] = &[
    ("greet.sh", "#!/bin/sh\necho \"Hello, $1\"\n"),
    ("test.sh", "test \"$(sh greet.sh World)\" = 'Hello, World!'\n"),
];
/// Long enough for a worker to be hit while it waits for an answer.
const PACE: Duration = Duration::from_millis(150);
const STEPS: usize = 4;

fn call(turn: usize, name: &str, input: Value) -> Value {
    json!({"type": "tool_use", "id": format!("toolu_{turn}_{name}"), "name": name, "input": input})
}

/// The longer name comes first: what is stored sorts them otherwise.
fn content(turn: usize) -> Vec<Value> {
    match turn {
        0 => vec![call(0, "bash", json!({"command": "cat greet.sh; echo a >> log"}))],
        1 => vec![
            call(1, "edit", json!({"path": "greet.sh", "old": "$1\"", "new": "$1!\""})),
            call(1, "bash", json!({"command": "echo b >> log"})),
        ],
        2 => vec![call(2, "bash", json!({"command": "sh test.sh; echo $?; cat log"}))],
        _ => vec![call(3, "finish", json!({"summary": "greets with an exclamation mark"}))],
    }
}

async fn paced() -> ModelServer {
    ModelServer::start_paced(PACE, |turn, _| Say::Content(content(turn))).await
}

/// A request without the marks that say where to cache: they are no part of what is cached.
fn prefix(request: &Value) -> (String, Vec<String>) {
    fn unmarked(value: &Value) -> Value {
        match value {
            Value::Object(fields) => fields
                .iter()
                .filter(|(name, _)| *name != "cache_control")
                .map(|(name, value)| (name.clone(), unmarked(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Value::Array(items) => items.iter().map(unmarked).collect(),
            other => other.clone(),
        }
    }
    let stable = unmarked(&json!([request["model"], request["tools"], request["system"]])).to_string();
    let messages = request["messages"].as_array().unwrap().iter();
    (stable, messages.map(|message| unmarked(message).to_string()).collect())
}

/// Every request begins with all that the ones before it said, byte for byte.
pub fn assert_stable(requests: &[Value]) {
    let mut longest = prefix(&requests[0]);
    for request in &requests[1..] {
        let next = prefix(request);
        assert_eq!(next.0, longest.0, "instructions and tools stay");
        let shared = longest.1.len().min(next.1.len());
        assert_eq!(next.1[..shared], longest.1[..shared], "what was said stays");
        if next.1.len() > longest.1.len() {
            longest = next;
        }
    }
}

/// Lets what a killed worker held be taken over at once instead of after its lease.
async fn forget_leases(admin: &Client) {
    let forget = "update codeteam.workers set lease_ms = 1, lease_expires_at = now() - interval '1 hour'";
    admin.execute(forget, &[]).await.unwrap();
}

struct Ended {
    diff: Option<String>,
    said: (String, Vec<String>),
}

/// One job, whose first worker is killed when `is_time` says so of what has happened.
async fn killed(at: Option<usize>, is_time: impl Fn(&ModelServer, usize) -> bool) -> Ended {
    let database = TestDatabase::new().await;
    let admin = database.client("postgres").await;
    let model = paced().await;
    let team = Team::on_database(database, &model.url).await;
    let repo = Repo::with(REPO);
    let first = team.worker();
    let job = team.submit(&repo, "the greeting lacks its exclamation mark", Some("sh test.sh")).await;
    let _second = match at {
        None => first,
        Some(at) => {
            let waiting = async {
                while !is_time(&model, at) {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{}", team.log()));
            first.kill().await;
            forget_leases(&admin).await;
            team.worker()
        }
    };
    let (row, events) = team.finished(job).await;
    assert_eq!(
        (row.state, row.outcome),
        (JobState::Succeeded, Some(Outcome::Verified)),
        "{at:?}: {}",
        team.log()
    );
    assert_stable(&model.requests());
    let mut answered: Vec<usize> = model.answered_turns();
    let all = answered.len();
    answered.sort_unstable();
    answered.dedup();
    // An answer that was on its way when its worker died is the only one that may be asked for again.
    let calls = team.api.calls(job).await.unwrap();
    let lost = calls.iter().filter(|call| call.basis != "reported").count();
    assert!(all - answered.len() <= lost, "{at:?}: answered twice: {all} for {answered:?}");
    if lost == 0 {
        team.assert_books(&[job], &model).await;
    } else {
        assert_eq!(lost, 1, "{at:?}");
        let of_ledger = Counted { answers: row.steps as u64, usage: row.usage };
        team.assert_books(&[job], of_ledger).await;
    }
    let diff = events.iter().find_map(|record| match &record.event {
        Event::Delivered { diff, .. } => diff.clone(),
        _ => None,
    });
    Ended { diff, said: prefix(model.requests().last().unwrap()) }
}

#[tokio::test]
async fn a_worker_killed_while_a_call_is_under_way_is_replaced_without_a_trace() {
    let expected = killed(None, |_, _| true).await;
    assert!(expected.diff.as_ref().is_some_and(|diff| diff.contains("+b")), "{:?}", expected.diff);
    for at in 1..=STEPS {
        let ended = killed(Some(at), |model, at| model.requests().len() >= at).await;
        assert_eq!((ended.diff, ended.said), (expected.diff.clone(), expected.said.clone()), "call {at}");
    }
}

#[tokio::test]
async fn a_worker_killed_right_after_an_answer_is_replaced_without_a_trace() {
    let expected = killed(None, |_, _| true).await;
    for at in 1..=STEPS {
        let ended = killed(Some(at), |model, at| model.answered() as usize >= at).await;
        assert_eq!((ended.diff, ended.said), (expected.diff.clone(), expected.said.clone()), "answer {at}");
    }
}
