//! Jobs whose worker is gone in some way that nobody planned: each of them finds another one.

use domain::{Event, ExitReason, JobState, Mode, Outcome};
use store::Ending;

use crate::machine::silence;
use crate::{claimed, hired, roles};

#[tokio::test]
async fn a_worker_that_was_away_for_days_is_forgotten_only_when_its_job_was_taken_back() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    let lost = hired(&roles.worker).await;
    let held = claimed(&roles.api, &roles.worker, lost).await;
    silence(&admin, lost).await;
    admin
        .batch_execute("update codeteam.workers set heartbeat_at = now() - interval '2 days'")
        .await
        .unwrap();
    let next = hired(&roles.worker).await; // registering forgets those of long ago
    let again = roles.worker.claim(next, Mode::Mechanic).await.unwrap().expect("the lost one's job");
    assert_eq!(again.claim.job, held.claim.job);
}

#[tokio::test]
async fn what_a_worker_holds_without_knowing_goes_back_when_it_goes() {
    let roles = roles().await;
    let leaving = hired(&roles.worker).await;
    let held = claimed(&roles.api, &roles.worker, leaving).await;
    roles.worker.retire_worker(leaving).await.unwrap();
    let next = hired(&roles.worker).await;
    let again = roles.worker.claim(next, Mode::Mechanic).await.unwrap().expect("the job that went back");
    assert_eq!((again.claim.job, again.failures), (held.claim.job, 0));
}

#[tokio::test]
async fn a_claim_that_came_after_its_worker_had_stopped_is_taken_back() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    let stopped = hired(&roles.worker).await;
    let held = claimed(&roles.api, &roles.worker, stopped).await;
    silence(&admin, stopped).await;
    admin.batch_execute("update codeteam.workers set stopped_at = now()").await.unwrap();
    let next = hired(&roles.worker).await;
    let again = roles.worker.claim(next, Mode::Mechanic).await.unwrap().expect("the stopped one's job");
    assert_eq!(again.claim.job, held.claim.job);
}

#[tokio::test]
async fn a_cancel_of_a_job_whose_claim_was_never_heard_of_is_kept() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    let by = hired(&roles.worker).await;
    let held = claimed(&roles.api, &roles.worker, by).await;
    assert_eq!(roles.api.cancel(held.claim.job).await.unwrap(), JobState::Running);
    admin.batch_execute("update codeteam.jobs set started_at = now() - interval '20 seconds'").await.unwrap();
    roles.worker.heartbeat(by, &[]).await.unwrap();
    assert_eq!(roles.api.job(held.claim.job).await.unwrap().state, JobState::Cancelled);
}

#[tokio::test]
async fn the_place_of_a_job_that_was_deleted_goes_to_the_next_of_its_group() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    let by = hired(&roles.worker).await;
    let grouped = "insert into codeteam.jobs (mode, task, repo, prompt, group_key) values ('mechanic', 'bug_fix', 'r', 'p', 'g')";
    for _ in 0..3 {
        admin.batch_execute(grouped).await.unwrap();
    }
    let first = roles.worker.claim(by, Mode::Mechanic).await.unwrap().expect("the first");
    assert!(roles.worker.claim(by, Mode::Mechanic).await.unwrap().is_none(), "the group is full");
    let ending = Ending {
        claimed: &first,
        state: JobState::Succeeded,
        outcome: Outcome::Unverified,
        reason: ExitReason::Finished,
        error: None,
        events: vec![Event::Noted { message: "done".into() }],
    };
    roles.worker.finish_many(by, &[ending]).await.unwrap();
    let next = "delete from codeteam.jobs where state = 'queued' and waits_for is null";
    assert_eq!(admin.execute(next, &[]).await.unwrap(), 1);
    assert!(roles.worker.claim(by, Mode::Mechanic).await.unwrap().is_some(), "the last one waits for nobody");
}
