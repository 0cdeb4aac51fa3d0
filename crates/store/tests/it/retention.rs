//! Old history leaves in small batches; what somebody still needs stays.

use std::time::Duration;

use domain::{Event, ExitReason, JobId, JobState, Outcome};
use store::{Counted, StoreError, SweptBatch};
use tokio_postgres::Client;

use crate::{claimed, hired, journal_of, roles, soon};

/// A job that finished `days` ago, with so many events.
async fn finished(owner: &Client, state: &str, days: i32, events: i64) -> JobId {
    let sql = "with job as (
                 insert into codeteam.jobs (mode, task, repo, prompt, state, outcome, exit_reason, finished_at)
                 values ('mechanic', 'bug_fix', 'r', 'p', $1, 'none', 'finished', now() - make_interval(days => $2))
                 returning id
               ), journal as (
                 insert into codeteam.events (job_id, seq, attempt, kind, data)
                 select job.id, n, 1, 'noted', '{\"message\": \"so far\"}' from job, generate_series(1, $3::bigint) as n
               )
               select id from job";
    JobId(owner.query_one(sql, &[&state, &days, &events]).await.unwrap().get(0))
}

async fn count(owner: &Client, of: &str) -> i64 {
    owner.query_one(&format!("select count(*) from codeteam.{of}"), &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_job_that_is_old_leaves_with_its_journal_and_what_it_cost_stays() {
    let roles = roles().await;
    let owner = roles.database.client("postgres").await;
    let by = hired(&roles.worker).await;
    let held = claimed(&roles.api, &roles.worker, by).await;
    let end = (JobState::Succeeded, Outcome::None, ExitReason::Finished);
    let said = [Event::Noted { message: "almost done".into() }];
    journal_of(&roles.worker, &held).finish(end, None, &said, soon()).await.unwrap();
    owner
        .batch_execute(
            "update codeteam.jobs set finished_at = now() - interval '91 days';
             insert into codeteam.ledger (job_id, attempt, call, kind, basis, repo, mode, model, cost_micros)
             select id, 1, 1, 'reservation', 'worst_case', repo, mode, 'm', 7 from codeteam.jobs;
             insert into codeteam.scale_decisions (at, service, previous, target, reason, observation)
             select now() - make_interval(days => age), 'mechanic-worker', 0, 1, 'r', '{}' from unnest(array[1, 91]) as age",
        )
        .await
        .unwrap();
    let young = finished(&owner, "succeeded", 89, 2).await;
    let scaler = roles.database.store("codeteam_scaler").await;

    let swept = scaler.sweep_history(90, 100, 5_000).await.unwrap();
    assert_eq!((swept.jobs, swept.events, swept.more), (1, 3, false), "submitted, claimed, noted, finished");
    let due = swept.next_due.unwrap();
    assert!(due > Duration::from_secs(23 * 3_600) && due <= Duration::from_secs(86_400), "{due:?}");
    assert!(matches!(roles.api.job(held.claim.job).await, Err(StoreError::UnknownJob(_))));
    assert_eq!(roles.api.job(young).await.unwrap().state, JobState::Succeeded);
    assert_eq!((count(&owner, "jobs").await, count(&owner, "events").await), (1, 2));
    assert_eq!((count(&owner, "ledger").await, count(&owner, "scale_decisions").await), (1, 1));

    let counts = roles.api.counts().await.unwrap();
    assert_eq!(counts.of(JobState::Succeeded), Counted::Exactly(1));
    assert_eq!(counts.0.iter().map(|count| count.swept).sum::<u64>(), 1, "it is remembered as a number");
}

#[tokio::test]
async fn a_dead_job_stays_until_somebody_has_seen_it() {
    let roles = roles().await;
    let owner = roles.database.client("postgres").await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let dead = finished(&owner, "dead", 5_000, 1).await;
    for state in ["failed", "cancelled", "succeeded"] {
        finished(&owner, state, 5_000, 1).await;
    }
    roles.api.submit(&testkit::job()).await.unwrap();
    assert_eq!(scaler.sweep_history(90, 100, 5_000).await.unwrap().jobs, 3);
    assert_eq!(count(&owner, "jobs").await, 2, "the dead one, and the one that is queued");

    let person = roles.database.client("codeteam_api").await;
    person.execute("select codeteam.acknowledge_job($1, 'ada')", &[&dead.0]).await.unwrap();
    let nothing_in_sight = SweptBatch { jobs: 1, events: 1, more: false, next_due: None };
    assert_eq!(scaler.sweep_history(90, 100, 5_000).await.unwrap(), nothing_in_sight);
}

#[tokio::test]
async fn a_batch_is_small_oldest_first_and_a_job_leaves_whole() {
    let roles = roles().await;
    let owner = roles.database.client("postgres").await;
    let scaler = roles.database.store("codeteam_scaler").await;
    finished(&owner, "succeeded", 100, 50).await;
    for days in [99, 98, 97, 96, 95] {
        finished(&owner, "succeeded", days, 3).await;
    }
    let mut batches = Vec::new();
    loop {
        let swept = scaler.sweep_history(90, 2, 5).await.unwrap();
        batches.push((swept.jobs, swept.events));
        if !swept.more {
            break;
        }
    }
    // One of fifty events alone; then the bound on events; then nothing is left.
    assert_eq!(batches[..6], [(1, 50), (1, 3), (1, 3), (1, 3), (1, 3), (1, 3)]);
    assert_eq!(batches.iter().map(|(jobs, _)| jobs).sum::<u64>(), 6);
    for days in [99, 98, 97] {
        finished(&owner, "succeeded", days, 1).await;
    }
    let swept = scaler.sweep_history(90, 2, 5_000).await.unwrap();
    assert_eq!((swept.jobs, swept.more), (2, true), "the bound on jobs");
}

#[tokio::test]
async fn a_job_that_somebody_works_with_is_passed_over() {
    let roles = roles().await;
    let owner = roles.database.client("postgres").await;
    let mut person = roles.database.client("postgres").await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let held = finished(&owner, "failed", 100, 1).await;
    finished(&owner, "failed", 99, 1).await;

    let retry = person.transaction().await.unwrap();
    retry.execute("select codeteam.retry_job($1)", &[&held.0]).await.unwrap();
    assert_eq!(scaler.sweep_history(90, 100, 5_000).await.unwrap().jobs, 1, "and nobody waited");
    retry.commit().await.unwrap();
    assert_eq!(scaler.sweep_history(90, 100, 5_000).await.unwrap().jobs, 0);
    assert_eq!(roles.api.job(held).await.unwrap().state, JobState::Queued);
}

#[tokio::test]
async fn a_journal_leaves_with_its_job_also_when_the_owner_deletes_it_by_hand() {
    let roles = roles().await;
    let owner = roles.database.client("postgres").await;
    let (gone, stays) = (finished(&owner, "dead", 1, 4).await, finished(&owner, "dead", 1, 4).await);
    owner.execute("delete from codeteam.jobs where id = $1", &[&gone.0]).await.unwrap();
    assert!(roles.api.events(gone, 0, 100).await.unwrap().is_empty());
    assert_eq!(roles.api.events(stays, 0, 100).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_span_of_time_that_makes_no_sense_deletes_nothing() {
    let roles = roles().await;
    let owner = roles.database.client("postgres").await;
    finished(&owner, "succeeded", 100, 1).await;
    let scaler = roles.database.client("codeteam_scaler").await;
    for call in ["sweep_history(null)", "sweep_history('-1 day')", "sweep_history('1 day', 0)"] {
        let error = scaler.query(&format!("select codeteam.{call}"), &[]).await.unwrap_err();
        let error = error.as_db_error().unwrap();
        assert!(
            error.message().contains("give an interval of up to 100 years and numbers from 1"),
            "{call}: {error}"
        );
    }
    assert_eq!(count(&owner, "jobs").await, 1);
}
