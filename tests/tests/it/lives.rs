//! Workers and databases that die in the middle of a job.

use std::time::Duration;

use domain::{Event, JobState, Outcome};
use nix::sys::signal::Signal;
use rehearsal::Rehearsal;
use system_tests::{Repo, Team};

/// Slow enough to be hit in the middle, quick enough to wait for.
const PACE: Duration = Duration::from_millis(400);

async fn paced() -> Rehearsal {
    Rehearsal::start_paced(rehearsal::demo::script().unwrap(), PACE).await.unwrap()
}

fn replied(step: u32) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::ModelReplied { step: n, .. } if *n == step)
}

/// One result, and no step that the ledger has twice under one key or that was answered twice.
fn assert_whole(events: &[domain::EventRecord], calls: &[store::CallRow]) {
    let results = events.iter().filter(|record| matches!(record.event, Event::Delivered { .. })).count();
    assert_eq!(results, 1);
    let steps: Vec<u32> = events
        .iter()
        .filter_map(|record| match record.event {
            Event::ModelReplied { step, .. } => Some(step),
            _ => None,
        })
        .collect();
    assert_eq!(steps, (1..=steps.len() as u32).collect::<Vec<_>>(), "each step is answered once");
    let mut keys: Vec<_> = calls.iter().map(|call| (call.attempt, call.call)).collect();
    let paid = keys.len();
    keys.dedup();
    assert_eq!(keys.len(), paid);
    let reported = calls.iter().filter(|call| call.basis == "reported").count();
    assert_eq!(reported, steps.len(), "each answer is paid for once");
}

#[tokio::test]
async fn a_killed_workers_job_is_finished_by_another_from_where_it_stood() {
    let model = paced().await;
    let team = Team::new(&model.url()).await;
    let repo = Repo::demo();
    let first = team.worker();
    let job = team.submit_demo(&repo).await;
    team.events_until(job, replied(2)).await;
    first.kill().await;
    let _second = team.worker();
    let (row, events) = team.finished(job).await;
    assert_eq!((row.state, row.outcome), (JobState::Succeeded, Some(Outcome::Verified)), "{}", team.log());
    assert!(events.iter().any(|record| matches!(record.event, Event::LeaseExpired { .. })));
    assert_whole(&events, &team.api.calls(job).await.unwrap());
    assert_eq!(row.attempt.0, 2);
}

#[tokio::test]
async fn a_worker_that_is_told_to_go_gives_its_job_back_and_burns_no_attempt() {
    let model = paced().await;
    let team = Team::new(&model.url()).await;
    let repo = Repo::demo();
    let mut first = team.worker();
    let job = team.submit_demo(&repo).await;
    team.events_until(job, replied(1)).await;
    first.signal(Signal::SIGTERM);
    assert!(first.wait().await.success());
    let held = team.api.job(job).await.unwrap();
    assert_eq!(held.state, JobState::Queued, "{}", team.log());
    let _second = team.worker();
    let (row, events) = team.finished(job).await;
    assert_eq!(row.outcome, Some(Outcome::Verified), "{}", team.log());
    assert!(
        !events
            .iter()
            .any(|record| matches!(record.event, Event::AttemptFailed { .. } | Event::LeaseExpired { .. }))
    );
    assert_whole(&events, &team.api.calls(job).await.unwrap());
    assert_eq!(row.steps as u64, model.stop().await.requests, "no call was thrown away");
}

#[tokio::test]
async fn a_database_that_restarts_in_the_middle_of_a_job_costs_nothing() {
    for how in [embedded::Shutdown::Fast, embedded::Shutdown::Immediate] {
        let model = paced().await;
        let server = testkit::Server::start().await;
        let team = Team::on_server(&server, &model.url()).await;
        let repo = Repo::demo();
        let worker = team.worker();
        let job = team.submit_demo(&repo).await;
        team.events_until(job, replied(2)).await;
        server.restart(how).await;
        let (row, events) = team.finished(job).await;
        assert_eq!(
            (row.state, row.outcome),
            (JobState::Succeeded, Some(Outcome::Verified)),
            "{}",
            team.log()
        );
        assert_whole(&events, &team.api.calls(job).await.unwrap());
        assert_eq!(row.steps as u64, model.stop().await.requests);
        worker.kill().await;
        server.stop().await;
    }
}
