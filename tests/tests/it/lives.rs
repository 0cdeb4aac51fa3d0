//! Workers and databases that die or hang in the middle of a job, and workers that never come to life.

use std::time::Duration;

use domain::{Event, JobState, Outcome};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rehearsal::Rehearsal;
use serde_json::json;
use system_tests::{CommandLine, ModelServer, PATIENCE, Repo, Say, Team, is_empty, tool};

/// Slow enough to be hit in the middle, quick enough to wait for.
const PACE: Duration = Duration::from_millis(400);

pub async fn paced() -> Rehearsal {
    Rehearsal::start_paced(rehearsal::demo::script().unwrap(), PACE).await.unwrap()
}

pub fn replied(step: u32) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::ModelReplied { step: n, .. } if *n == step)
}

/// One result, and no step that the ledger has twice under one key or that was answered twice.
pub fn assert_whole(events: &[domain::EventRecord], calls: &[store::CallRow]) {
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
    team.assert_books(&[job], model.stop().await).await; // no call was thrown away
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
        team.assert_books(&[job], model.stop().await).await;
        worker.kill().await;
        server.stop().await;
    }
}

#[tokio::test]
async fn a_worker_that_hangs_is_replaced_by_its_scaler_and_its_job_goes_on() {
    let model = paced().await;
    let team = Team::new(&model.url()).await;
    let repo = Repo::demo();
    let mut scaler = team.scaler();
    let job = team.submit_demo(&repo).await;
    team.events_until(job, replied(2)).await;
    let hanging = team.api.workers().await.unwrap();
    assert_eq!(hanging.len(), 1, "{}", team.log());
    kill(Pid::from_raw(hanging[0].pid), Signal::SIGSTOP).unwrap();
    let (row, events) = team.finished(job).await;
    assert_eq!((row.state, row.outcome), (JobState::Succeeded, Some(Outcome::Verified)), "{}", team.log());
    assert!(events.iter().any(|record| matches!(record.event, Event::LeaseExpired { .. })));
    assert_whole(&events, &team.api.calls(job).await.unwrap());
    assert_eq!(row.attempt.0, 2);
    assert!(!std::path::Path::new(&format!("/proc/{}", hanging[0].pid)).exists(), "the hanging one is gone");
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());
    assert_eq!(std::fs::read_dir(team.path("work")).unwrap().count(), 0, "no checkout stays behind");
}

#[tokio::test]
async fn a_run_whose_workers_cannot_start_gives_up_and_says_why() {
    let mut line = CommandLine::with_model("http://127.0.0.1:9");
    line.set("DRAIN_MS", "abc");
    let repo = Repo::demo();
    let said = line.run(&["run", "--repo", &repo.url(), "--task", "bug_fix", "a cent too dear"]).await;
    assert_eq!(said.code, Some(3), "{said:?}");
    let last = said.err.lines().last().unwrap();
    for part in ["no worker comes up", "exit status: 2", "invalid value 'abc'", "up.log"] {
        assert!(last.contains(part), "{part:?} is missing: {said:?}");
    }
    line.all_gone().await;
    let jobs = line.run(&["jobs", "--json"]).await;
    assert!(jobs.out.contains("\"cancelled\""), "the job does not wait for the next team: {jobs:?}");

    let mut up = line.start(&["up"]);
    up.until("codeteam submit").await;
    line.run(&["submit", "--repo", &repo.url(), "--task", "bug_fix", "a cent too dear"]).await;
    up.until("a worker ended at once").await;
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait().await, Some(0), "{}", up.said());
    line.all_gone().await;
}

/// Its patience is so long that after one signal the workers would be killed over their job.
#[tokio::test]
async fn a_team_that_is_told_twice_to_stop_gives_its_job_back_at_once_and_leaves_no_checkout() {
    let dawdling = |_, _: &_| Say::Content(vec![tool("bash", json!({"command": "sleep 600"}))]);
    let model = ModelServer::start(dawdling).await;
    let mut line = CommandLine::with_model(&model.url);
    line.set("DRAIN_MS", "600000");
    let repo = Repo::demo();
    let mut up = line.start(&["up"]);
    up.until("codeteam submit").await;
    line.run(&["submit", "--repo", &repo.url(), "--task", "bug_fix", "a cent too dear"]).await;
    let at_work = async {
        while model.requests().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, at_work).await.expect("the job to be at work");
    up.signal(Signal::SIGINT);
    up.until("stopping").await;
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait().await, Some(0), "{}", up.said());
    line.all_gone().await;
    let jobs = line.run(&["jobs", "--json"]).await;
    assert!(jobs.out.contains("\"queued\""), "the job is given back: {jobs:?}");
    assert!(is_empty(&line.path("home/work")), "a checkout stays behind");
}
