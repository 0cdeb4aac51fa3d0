//! Jobs that must not run side by side: the limit of their group, its parked jobs, and who waits for whom.

use std::sync::Arc;

use domain::{ExitReason, JobState, Mode, NewJob, Outcome, Queueing};
use store::{Claimed, Database, StoreError};
use tokio_postgres::Client;

use crate::{Roles, hired, journal_of, roles, soon};

pub fn of_group(key: &str, limit: u16) -> NewJob {
    let queueing = Queueing { group_key: Some(key.into()), group_limit: Some(limit), ..Queueing::default() };
    NewJob { queueing, ..testkit::job() }
}

pub async fn finish(database: &Arc<Database>, held: &Claimed) -> Result<JobState, StoreError> {
    let end = (JobState::Succeeded, Outcome::Verified, ExitReason::Finished);
    journal_of(database, held).finish(end, None, &[], soon()).await
}

async fn parked(admin: &Client) -> Vec<uuid::Uuid> {
    let sql = "select id from codeteam.jobs where waits_for = 'group' order by priority desc, run_at, id";
    admin.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Returns when `sessions` of this database wait for a lock.
async fn waiting(admin: &Client, sessions: i64) {
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) < sessions {}
}

/// A group with one job running and two parked.
async fn full_group(roles: &Roles) -> Claimed {
    let by = hired(&roles.worker).await;
    roles.api.submit_all(&vec![of_group("g", 1); 3]).await.unwrap();
    let held = roles.worker.claim(by, Mode::Mechanic).await.unwrap().unwrap();
    assert!(roles.worker.claim(by, Mode::Mechanic).await.unwrap().is_none(), "the group is full");
    held
}

#[tokio::test]
async fn a_full_groups_jobs_step_aside_and_come_back_one_by_one() {
    let roles = roles().await;
    let (by, scaler) = (hired(&roles.worker).await, roles.database.store("codeteam_scaler").await);
    roles.api.submit_all(&[vec![of_group("g", 2); 5], vec![testkit::job(); 2]].concat()).await.unwrap();
    let seen = scaler.observe().await.unwrap().mechanic;
    assert_eq!((seen.ready, seen.for_group), (4, 3), "before anybody looked");
    let mut held = roles.worker.claim_many(by, Mode::Mechanic, 100).await.unwrap();
    assert_eq!(held.len(), 4);
    held.retain(|held| held.claim.attempt.0 == 1);
    let mut ended = 0;
    while let Some(next) = held.pop() {
        finish(&roles.worker, &next).await.unwrap();
        ended += 1;
        held.extend(roles.worker.claim_many(by, Mode::Mechanic, 100).await.unwrap());
        assert!(held.len() <= 4);
    }
    assert_eq!(ended, 7);
}

#[tokio::test]
async fn a_claim_of_many_takes_no_more_of_a_group_than_it_has_room_for() {
    let roles = roles().await;
    let by = hired(&roles.worker).await;
    roles.api.submit_all(&vec![of_group("g", 3); 120]).await.unwrap();
    assert_eq!(roles.worker.claim_many(by, Mode::Mechanic, 100).await.unwrap().len(), 3);
    let admin = roles.database.client("postgres").await;
    assert_eq!(parked(&admin).await.len(), 117);
}

/// The one hands a place on to a parked job which the other is just cancelling.
#[tokio::test]
async fn who_cancels_a_parked_job_and_who_frees_its_place_do_not_wait_for_one_another() {
    let roles = roles().await;
    let held = full_group(&roles).await;
    let admin = roles.database.client("postgres").await;
    let next = parked(&admin).await[0];
    let mut locker = roles.database.client("postgres").await;
    let lock = locker.transaction().await.unwrap();
    lock.execute("select pg_advisory_xact_lock(hashtextextended('codeteam group g', 0))", &[]).await.unwrap();
    let workers = roles.worker.clone();
    let freeing = tokio::spawn(async move { finish(&workers, &held).await });
    waiting(&admin, 1).await;
    let canceller = roles.database.client("codeteam_api").await;
    let cancelling =
        tokio::spawn(async move { canceller.query_one("select codeteam.cancel_job($1)", &[&next]).await });
    // It waits for the group's lock behind the other, or it needs none and is done.
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while !cancelling.is_finished() && admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) < 2 {
        tokio::task::yield_now().await;
    }
    lock.commit().await.unwrap();
    let (freed, cancelled) = (freeing.await.unwrap(), cancelling.await.unwrap());
    assert!(freed.is_ok() && cancelled.is_ok(), "{freed:?}, {cancelled:?}");
    let by = hired(&roles.worker).await;
    assert!(roles.worker.claim(by, Mode::Mechanic).await.unwrap().is_some(), "the last one's turn has come");
}

/// Claims of many may need the locks of several groups, each in the order of what it happened to find: who holds one waits for no other.
#[tokio::test]
async fn two_who_claim_jobs_of_two_groups_do_not_wait_for_one_another() {
    let roles = roles().await;
    let (one, two) = (hired(&roles.worker).await, hired(&roles.worker).await);
    for key in ["a", "b", "b", "a"] {
        roles.api.submit(&of_group(key, 10)).await.unwrap();
    }
    let admin = roles.database.client("postgres").await;
    let mut locker = roles.database.client("postgres").await;
    let lock = locker.transaction().await.unwrap();
    for key in ["a", "b"] {
        let sql = "select pg_advisory_xact_lock(hashtextextended('codeteam group ' || $1, 0))";
        lock.execute(sql, &[&key]).await.unwrap();
    }
    let other = roles.database.store("codeteam_worker").await;
    let claim = |workers: &Arc<Database>, by| {
        let workers = workers.clone();
        tokio::spawn(async move { workers.claim_many(by, Mode::Mechanic, 2).await })
    };
    let first = claim(&roles.worker, one);
    waiting(&admin, 1).await;
    let second = claim(&other, two);
    waiting(&admin, 2).await;
    lock.commit().await.unwrap();
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert!(first.is_ok() && second.is_ok(), "{first:?}, {second:?}");
}
