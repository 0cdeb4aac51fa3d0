//! Jobs that hang and workers that are lost: the scaler takes the jobs back.

use domain::{ExitReason, JobState, Outcome};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use system_tests::{ModelServer, Repo, Say, tool};

use super::cloud::{Cloud, MECHANIC};
use crate::lives::{assert_whole, paced, replied};

#[tokio::test]
async fn a_job_that_hangs_is_tried_again_and_then_dead_with_the_reason() {
    let dawdling = |_, _: &_| Say::Content(vec![tool("bash", json!({"command": "sleep 600"}))]);
    let model = ModelServer::start(dawdling).await;
    let cloud = Cloud::working(&model.url).await;
    let mut scaler = cloud.scaler("scaler", &[("JOB_SLA_MS", "1500")]);
    let repo = Repo::demo();
    let job = cloud.team.submit_demo(&repo).await;
    let (row, _) = cloud.team.finished(job).await;
    assert_eq!(
        (row.state, row.exit_reason),
        (JobState::Dead, Some(ExitReason::TimeLimit)),
        "{}",
        cloud.team.log()
    );
    assert!(row.error.as_ref().is_some_and(|error| error.contains("it was stuck")), "{row:?}");
    let told = cloud.fleet_events("job_stuck").await;
    assert_eq!(told.len(), row.attempt.0 as usize, "once for each attempt");
    assert!(told.last().is_some_and(|event| event.message.ends_with("and is dead")), "{told:?}");
    // The worker hears that it lost its job, and is free to go.
    let fleet = cloud.aws.fleet_until(|fleet| fleet.count(MECHANIC, "stopped") == fleet.tasks.len()).await;
    assert!(fleet.tasks.iter().all(|task| task.exit_code == Some(0)), "{}", cloud.team.log());
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());
    cloud.aws.stop().await;
}

#[tokio::test]
async fn the_job_of_a_worker_that_is_lost_goes_on_in_another_task() {
    let model = paced().await;
    let cloud = Cloud::working(&model.url()).await;
    // As if this database had been up for long enough that somebody could have been heard of.
    let believes = "create or replace function codeteam.heard_at(w codeteam.workers) returns timestamptz
        language sql stable as 'select w.heartbeat_at';
      create or replace function codeteam.lease_ends(w codeteam.workers) returns timestamptz
        language sql stable as 'select w.lease_expires_at'";
    cloud.owner.batch_execute(believes).await.unwrap();
    let mut scaler = cloud.scaler("scaler", &[]);
    let repo = Repo::demo();
    let job = cloud.team.submit_demo(&repo).await;
    cloud.team.events_until(job, replied(1)).await;
    let task = cloud.aws.tasks().await.remove(0);
    kill(Pid::from_raw(task.pid.unwrap()), Signal::SIGSTOP).unwrap();
    let silent = "update codeteam.workers set heartbeat_at = now() - interval '3 minutes',
        lease_expires_at = now() - interval '2 minutes'";
    cloud.owner.batch_execute(silent).await.unwrap();
    cloud.until("exists (select from codeteam.fleet_events where kind = 'worker_lost')").await;
    assert_eq!(cloud.team.api.job(job).await.unwrap().state, JobState::Queued);
    // As the container's health check does.
    kill(Pid::from_raw(task.pid.unwrap()), Signal::SIGKILL).unwrap();
    let (row, events) = cloud.team.finished(job).await;
    assert_eq!(
        (row.state, row.outcome),
        (JobState::Succeeded, Some(Outcome::Verified)),
        "{}",
        cloud.team.log()
    );
    assert_eq!(row.attempt.0, 2);
    assert_whole(&events, &cloud.team.api.calls(job).await.unwrap());
    cloud.aws.fleet_until(|fleet| fleet.count(MECHANIC, "stopped") == 2).await;
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());
    cloud.aws.stop().await;
}
