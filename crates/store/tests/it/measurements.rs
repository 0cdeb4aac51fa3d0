//! What is to be published is counted once, whoever leads and whenever anybody dies.

use domain::{ExitReason, JobState, Mode, Outcome};
use store::{Basis, DEFAULT_SLA, Database, Lead, Series, Settlement};
use uuid::Uuid;

use crate::{Roles, claimed, hired, journal_of, roles, soon};

async fn leading(database: &Database) -> (Uuid, i64) {
    let scaler = Uuid::new_v4();
    match database.lead(scaler).await.unwrap() {
        Lead::Mine { epoch, .. } => (scaler, epoch),
        Lead::Anothers { .. } => panic!("nobody else is there"),
    }
}

fn times(series: &[Series], what: &str) -> f64 {
    series.iter().filter(|series| series.what == what).flat_map(|series| &series.counts).sum()
}

fn total(series: &[Series], what: &str) -> f64 {
    let of = series.iter().filter(|series| series.what == what);
    of.flat_map(|series| series.values.iter().zip(&series.counts)).map(|(value, count)| value * count).sum()
}

async fn one_life(roles: &Roles, state: JobState) {
    let by = hired(&roles.worker).await;
    let held = claimed(&roles.api, &roles.worker, by).await;
    let end = match state {
        JobState::Succeeded => (state, Outcome::Verified, ExitReason::Finished),
        _ => (state, Outcome::Failed, ExitReason::Finished),
    };
    journal_of(&roles.worker, &held).finish(end, None, &[], soon()).await.unwrap();
}

#[tokio::test]
async fn ends_are_counted_with_their_durations_and_cancelled_jobs_are_not() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let (me, epoch) = leading(&scaler).await;
    for state in [JobState::Succeeded, JobState::Succeeded, JobState::Failed] {
        one_life(&roles, state).await;
    }
    let cancelled = roles.api.submit(&testkit::job()).await.unwrap();
    roles.api.cancel(cancelled).await.unwrap();
    let batch = scaler.measure(me, epoch).await.unwrap().unwrap();
    assert!(batch.fresh);
    assert_eq!((times(&batch.series, "succeeded"), times(&batch.series, "failed")), (2.0, 1.0));
    assert!(total(&batch.series, "succeeded") < 60_000.0);
}

#[tokio::test]
async fn a_batch_that_is_not_known_to_be_published_comes_again_whoever_asks() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let (me, epoch) = leading(&scaler).await;
    one_life(&roles, JobState::Succeeded).await;
    let batch = scaler.measure(me, epoch).await.unwrap().unwrap();
    one_life(&roles, JobState::Succeeded).await; // belongs to the next one
    scaler.resign(me).await.unwrap();
    let other = roles.database.store("codeteam_scaler").await;
    let (me, epoch) = leading(&other).await;
    let again = other.measure(me, epoch).await.unwrap().unwrap();
    assert_eq!((again.id, again.at, &again.series), (batch.id, batch.at, &batch.series));
    assert!(!again.fresh);
    other.batch_published(again.id).await.unwrap();
    let next = other.measure(me, epoch).await.unwrap().unwrap();
    assert_eq!((next.fresh, times(&next.series, "succeeded")), (true, 1.0));
    other.batch_published(next.id).await.unwrap();
    assert_eq!(other.measure(me, epoch).await.unwrap().unwrap().series, []);
}

#[tokio::test]
async fn calls_are_counted_with_the_tokens_that_a_cap_counts() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let (me, epoch) = leading(&scaler).await;
    let by = hired(&roles.worker).await;
    let held = claimed(&roles.api, &roles.worker, by).await;
    let journal = journal_of(&roles.worker, &held);
    for (call, basis) in [(1, Basis::Reported), (2, Basis::WorstCase), (3, Basis::Unbilled)] {
        journal.reserve(call, "m", (domain::Money(1_000), 900), soon()).await.unwrap();
        let usage = domain::Usage { uncached: 100, cache_read: 5_000, output: 20, ..Default::default() };
        let settlement = Settlement {
            basis,
            model: "m",
            cost: domain::Money(500),
            usage,
            request_id: None,
            raw_usage: None,
        };
        journal.settle(call, &settlement, &[], soon()).await.unwrap();
    }
    let batch = scaler.measure(me, epoch).await.unwrap().unwrap();
    assert_eq!((times(&batch.series, "call"), total(&batch.series, "call")), (2.0, 120.0 + 900.0));
}

#[tokio::test]
async fn sums_are_exact_and_series_short_however_many_there_are() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let (me, epoch) = leading(&scaler).await;
    let admin = roles.database.client("postgres").await;
    let many = "insert into codeteam.measurements (mode, what, value)
                select 'genius', 'succeeded', n * 100 from generate_series(1, 20000) n";
    admin.batch_execute(many).await.unwrap();
    let batch = scaler.measure(me, epoch).await.unwrap().unwrap();
    let [series] = &batch.series[..] else { panic!("{:?}", batch.series) };
    assert_eq!((series.mode, times(&batch.series, "succeeded")), (Mode::Genius, 20_000.0));
    assert!(series.values.len() < 150 && series.values.is_sorted(), "{}", series.values.len());
    let sum = 100.0 * 20_000.0 * 20_001.0 / 2.0;
    assert!((total(&batch.series, "succeeded") / sum - 1.0).abs() < 1e-9);
}

#[tokio::test]
async fn wakes_and_stuck_jobs_are_counted() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let (me, epoch) = leading(&scaler).await;
    roles.api.submit(&testkit::job()).await.unwrap();
    scaler
        .record_decision(Mode::Mechanic, (0, 1), "r", &serde_json::json!({}), std::time::Duration::ZERO)
        .await
        .unwrap();
    roles.worker.claim(hired(&roles.worker).await, Mode::Mechanic).await.unwrap().unwrap();
    scaler.tend(DEFAULT_SLA).await.unwrap();
    let admin = roles.database.client("postgres").await;
    admin.batch_execute("update codeteam.jobs set started_at = now() - interval '11 minutes'").await.unwrap();
    scaler.tend(DEFAULT_SLA).await.unwrap();
    let batch = scaler.measure(me, epoch).await.unwrap().unwrap();
    assert_eq!((times(&batch.series, "wake"), times(&batch.series, "job_stuck")), (1.0, 1.0));
}
