//! A model that spends as much as it may: all of its output, all input as the dearest kind, many calls with much to say, answers that
//! never come. No cap is passed, and at each what exists is delivered with its reason.

use domain::{CapsOverride, Event, ExitReason, JobState, Outcome};
use serde_json::{Value, json};
use system_tests::{ModelServer, Repo, Say, Team, tool};

const REPO: &[(&str, &str)] = &[("a.txt", "one\n"), ("test.sh", "grep -q two a.txt\n")];

/// Repairs the file at once, and goes on spending.
fn greed(turn: usize) -> Vec<Value> {
    let noise = |n: usize| {
        let command = format!("echo {turn} {n}; head -c 300000 /dev/zero | tr '\\0' x");
        tool("bash", json!({"command": command}))
    };
    match turn {
        0 => vec![tool("edit", json!({"path": "a.txt", "old": "one", "new": "two"}))],
        _ => (0..6).map(noise).collect(),
    }
}

async fn spend(reason: ExitReason, caps: CapsOverride, answers: fn(usize) -> Say) {
    let model = ModelServer::start(move |turn, _| answers(turn)).await;
    let team = Team::new(&model.url).await;
    let repo = Repo::with(REPO);
    let _worker = team.worker();
    let mut job = testkit::job();
    (job.repo, job.test_command, job.caps) = (repo.url(), Some("sh test.sh".into()), caps);
    let job = team.api.submit(&job).await.unwrap();
    let (row, events) = team.finished(job).await;
    let log = team.log();
    assert_eq!(
        (row.exit_reason, row.outcome),
        (Some(reason), Some(Outcome::Verified)),
        "{:?}: {log}",
        row.error
    );
    assert_eq!(row.state, JobState::Succeeded, "the clean checkout says that it is right");
    assert!(row.error.is_some_and(|error| error.contains("ask for less")), "a person is told what to do");
    let calls = team.api.calls(job).await.unwrap();
    assert!(calls.len() <= caps.step_cap.unwrap() as usize, "{} calls", calls.len());
    let most = caps.token_cap.unwrap();
    assert!(row.usage.full_rate() <= most, "{} tokens of {most}", row.usage.full_rate());
    if let Some(most) = caps.cost_cap_micros {
        assert!(row.cost.0 <= most, "{} micro-dollars of {most}", row.cost.0);
    }
    let at = |is: fn(&Event) -> bool| events.iter().find(|record| is(&record.event)).unwrap().at;
    let took = at(|event| matches!(event, Event::Finished { .. }))
        .duration_since(at(|event| matches!(event, Event::Claimed { .. })));
    assert!(took.as_millis() <= i128::from(caps.time_limit_ms.unwrap()), "{took:#}");
    team.assert_books(&[job], &model).await;
}

fn caps() -> CapsOverride {
    CapsOverride {
        step_cap: Some(50),
        token_cap: Some(1_000_000),
        time_limit_ms: Some(120_000),
        cost_cap_micros: None,
    }
}

#[tokio::test]
async fn the_step_cap_holds() {
    let caps = CapsOverride { step_cap: Some(3), ..caps() };
    spend(ExitReason::StepCap, caps, |turn| Say::Spend(greed(turn))).await;
}

#[tokio::test]
async fn the_token_cap_holds() {
    let caps = CapsOverride { token_cap: Some(50_000), ..caps() };
    spend(ExitReason::TokenCap, caps, |turn| Say::Spend(greed(turn))).await;
}

#[tokio::test]
async fn the_cost_cap_holds() {
    let caps = CapsOverride { cost_cap_micros: Some(400_000), ..caps() };
    spend(ExitReason::CostCap, caps, |turn| Say::Spend(greed(turn))).await;
}

#[tokio::test]
async fn the_time_limit_holds() {
    let caps = CapsOverride { time_limit_ms: Some(12_000), ..caps() };
    spend(ExitReason::TimeLimit, caps, |turn| if turn == 0 { Say::Spend(greed(0)) } else { Say::Never })
        .await;
}
