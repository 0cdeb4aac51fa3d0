//! Jobs that come after others, while others end them, wait for them or claim them at the same moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::{JobId, JobState, Mode};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use store::{Database, StoreError};
use tokio_postgres::{Client, IsolationLevel};

use crate::after::{after, claim, fail, succeed};
use crate::{Roles, hired, roles};

/// Returns when one of this database's sessions waits for a lock.
async fn somebody_waits(admin: &Client) {
    let sql = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
    while !admin.query_one(sql, &[]).await.unwrap().get::<_, bool>(0) {}
}

const INSERT: &str = "insert into codeteam.jobs (mode, task, repo, prompt, after) values ('mechanic', 'bug_fix', 'r', 'p', array[$1::uuid])
                      returning id";

/// A transaction that stays open does not hold up the workers whose jobs it names, and sees at its end what they did meanwhile.
#[tokio::test]
async fn what_ends_while_a_dependant_is_not_yet_committed_is_seen_at_its_commit() {
    let roles = roles().await;
    let (ends_well, ends_badly) =
        (roles.api.submit(&testkit::job()).await.unwrap(), roles.api.submit(&testkit::job()).await.unwrap());
    let (well, badly) = (claim(&roles).await.unwrap(), claim(&roles).await.unwrap());
    assert_eq!((well.claim.job, badly.claim.job), (ends_well, ends_badly));
    let mut client = roles.database.client("codeteam_api").await;
    let open = client.transaction().await.unwrap();
    let freed: uuid::Uuid = open.query_one(INSERT, &[&ends_well.0]).await.unwrap().get(0);
    let ended: uuid::Uuid = open.query_one(INSERT, &[&ends_badly.0]).await.unwrap().get(0);
    let below: uuid::Uuid = open.query_one(INSERT, &[&ended]).await.unwrap().get(0);
    succeed(&roles, &well).await;
    fail(&roles.worker, &badly).await;
    open.commit().await.unwrap();
    assert_eq!(claim(&roles).await.unwrap().claim.job.0, freed);
    for id in [ended, below] {
        assert_eq!(roles.api.job(JobId(id)).await.unwrap().state, JobState::Cancelled);
    }
}

/// The other way round: the end is under way when the dependant comes.
#[tokio::test]
async fn a_dependant_that_comes_while_its_job_is_being_ended_waits_for_that_end() {
    for (state, expected) in [("succeeded", JobState::Queued), ("failed", JobState::Cancelled)] {
        let roles = roles().await;
        let admin = roles.database.client("postgres").await;
        let first = roles.api.submit(&testkit::job()).await.unwrap();
        claim(&roles).await.unwrap();
        let mut ender = roles.database.client("postgres").await;
        let ending = ender.transaction().await.unwrap();
        ending.batch_execute("set local search_path = codeteam").await.unwrap();
        let sql = "select end_job($1, $2, 'none', 'finished', null)";
        ending.execute(sql, &[&first.0, &state]).await.unwrap();
        let job = after(&[first]);
        let (submitted, ()) = tokio::join!(roles.api.submit(&job), async {
            somebody_waits(&admin).await;
            ending.commit().await.unwrap();
        });
        let job = roles.api.job(submitted.unwrap()).await.unwrap();
        assert_eq!(job.state, expected);
        assert!(state == "failed" || claim(&roles).await.unwrap().claim.job == job.id);
    }
}

#[tokio::test]
async fn of_two_that_end_at_the_same_moment_the_later_one_releases_what_waits_for_both() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    let first = roles.api.submit(&testkit::job()).await.unwrap();
    let second = roles.api.submit(&testkit::job()).await.unwrap();
    let last = roles.api.submit(&after(&[first, second])).await.unwrap();
    claim(&roles).await.unwrap();
    let other = claim(&roles).await.unwrap();
    let mut ender = roles.database.client("postgres").await;
    let ending = ender.transaction().await.unwrap();
    ending.batch_execute("set local search_path = codeteam").await.unwrap();
    ending.execute("select end_job($1, 'succeeded', 'none', 'finished', null)", &[&first.0]).await.unwrap();
    tokio::join!(succeed(&roles, &other), async {
        somebody_waits(&admin).await;
        ending.commit().await.unwrap();
    });
    assert_eq!(claim(&roles).await.unwrap().claim.job, last);
}

/// An old snapshot proves nothing: the commit fails as that of any transaction does whose rows have changed, and can be tried again.
#[tokio::test]
async fn above_read_committed_a_stale_dependant_is_not_committed_and_no_job_is_ended() {
    let roles = roles().await;
    let first = roles.api.submit(&testkit::job()).await.unwrap();
    let held = claim(&roles).await.unwrap();
    let mut client = roles.database.client("codeteam_api").await;
    let open =
        client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).start().await.unwrap();
    open.query_one(INSERT, &[&first.0]).await.unwrap();
    succeed(&roles, &held).await;
    let error = open.commit().await.unwrap_err();
    assert_eq!(error.code(), Some(&tokio_postgres::error::SqlState::T_R_SERIALIZATION_FAILURE));

    let queued = roles.api.submit(&testkit::job()).await.unwrap();
    let open =
        client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).start().await.unwrap();
    let error = open.execute("select codeteam.cancel_job($1)", &[&queued.0]).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "QJ009");
}

/// What one of the crowd does: submits jobs after random ones of those that there are, claims and ends them well or badly, or
/// cancels a random one. A deadlock would fail the call.
async fn joins_in(roles: Arc<Roles>, seed: u64, made: Arc<AtomicUsize>) {
    let (api, worker) =
        (roles.database.store("codeteam_api").await, roles.database.store("codeteam_worker").await);
    let by = hired(&worker).await;
    let mut rng = StdRng::seed_from_u64(seed);
    let mut known: Vec<JobId> = Vec::new();
    while made.load(Ordering::Relaxed) < 600 {
        match rng.random_range(0..10) {
            0..5 => {
                if rng.random_range(0..4) == 0 {
                    known = open_jobs(&api).await;
                }
                let before: Vec<JobId> = (0..rng.random_range(0..4))
                    .filter_map(|_| known.get(rng.random_range(0..known.len().max(1))))
                    .copied()
                    .collect();
                match api.submit(&after(&before)).await {
                    Ok(id) => known.push(id),
                    Err(StoreError::InvalidAfter(_)) => known.clear(), // one of them has ended badly by now
                    Err(error) => panic!("{error:?}"),
                }
                made.fetch_add(1, Ordering::Relaxed);
            }
            5..9 => end_one(&roles, &worker, by, rng.random_range(0..8) > 0).await,
            _ => {
                if let Some(&id) = known.get(rng.random_range(0..known.len().max(1))) {
                    api.cancel(id).await.unwrap();
                }
            }
        }
    }
}

async fn open_jobs(api: &Database) -> Vec<JobId> {
    let filter = store::JobFilter { state: Some(JobState::Queued), ..store::JobFilter::default() };
    api.jobs(filter, 50).await.unwrap().iter().map(|job| job.id).collect()
}

async fn end_one(roles: &Roles, worker: &Arc<Database>, by: domain::WorkerId, well: bool) {
    let Some(held) = worker.claim(by, Mode::Mechanic).await.unwrap() else { return };
    if well {
        succeed(roles, &held).await
    } else {
        worker.release(&held.claim, "no").await.unwrap()
    }
    if !well && let Some(held) = worker.claim(by, Mode::Mechanic).await.unwrap() {
        match worker
            .fail_attempt(&held.claim, domain::ExitReason::ModelError, "it broke", None)
            .await
            .unwrap()
        {
            JobState::Failed | JobState::Cancelled => {}
            other => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_crowd_does_nobody_waits_in_vain_and_nobody_goes_too_early() {
    let roles = Arc::new(roles().await);
    let made = Arc::new(AtomicUsize::new(0));
    let crowd: Vec<_> =
        (0..8).map(|seed| tokio::spawn(joins_in(roles.clone(), seed, made.clone()))).collect();
    for member in crowd {
        member.await.unwrap();
    }
    let by = hired(&roles.worker).await;
    while let Some(held) = roles.worker.claim(by, Mode::Mechanic).await.unwrap() {
        succeed(&roles, &held).await;
    }
    let admin = roles.database.client("postgres").await;
    let counted = async |sql: &str| -> i64 { admin.query_one(sql, &[]).await.unwrap().get(0) };
    assert_eq!(counted("select count(*) from codeteam.jobs where state in ('queued', 'running')").await, 0);
    assert_eq!(counted("select count(*) from codeteam.job_dependencies").await, 0);
    let early = "select count(*) from codeteam.jobs j join codeteam.jobs a on a.id = any (j.after)
                 where j.started_at < a.finished_at or j.started_at is not null and a.state <> 'succeeded'";
    assert_eq!(counted(early).await, 0, "started before what it comes after had succeeded");
    let spared = "select count(*) from codeteam.jobs j join codeteam.jobs a on a.id = any (j.after)
                  where a.state in ('failed', 'cancelled', 'dead') and j.state <> 'cancelled'";
    assert_eq!(counted(spared).await, 0);
    for state in ["succeeded", "cancelled", "failed"] {
        let sql = format!("select count(*) from codeteam.jobs where state = '{state}' and after is not null");
        assert!(counted(&sql).await > 0, "none {state}: the crowd did not do much");
    }
}
