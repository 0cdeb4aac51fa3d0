//! Leases and fencing: who holds a job, and what the others cannot do to it.

use std::sync::Arc;
use std::time::Duration;

use domain::{Event, ExitReason, JobState, Mode, Money, Outcome, WorkerId};
use store::{Basis, Settlement, StoreError, Verdict};
use tokio::time::Instant;

use crate::{claimed, hired, hired_for, journal_of, roles, soon, worker};

const SHORT: Duration = Duration::from_millis(20);

/// The mechanics among these that hang, as the scaler sees it.
async fn silent(scaler: &store::Database, among: &[WorkerId]) -> Vec<WorkerId> {
    let seen = scaler.observe_among(among, store::DEFAULT_SLA).await.unwrap();
    seen.mechanic.silent_ids.into_iter().collect()
}

#[tokio::test]
async fn a_silent_workers_job_goes_to_the_next_who_claims_and_its_late_writes_touch_nothing() {
    let roles = roles().await;
    roles.api.submit(&testkit::job()).await.unwrap();
    let (slow, quick) = (hired_for(&roles.worker, SHORT).await, hired(&roles.worker).await);
    let old = roles.worker.claim(slow, Mode::Mechanic).await.unwrap().unwrap();
    let new = loop {
        if let Some(new) = roles.worker.claim(quick, Mode::Mechanic).await.unwrap() {
            break new;
        }
    };
    assert_eq!((new.claim.job, new.claim.attempt.0), (old.claim.job, 2));

    let before = roles.api.events(old.claim.job, 0, 100).await.unwrap();
    let end = (JobState::Succeeded, Outcome::Verified, ExitReason::Finished);
    let settlement = Settlement {
        basis: Basis::Unbilled,
        model: "m",
        cost: Money::ZERO,
        usage: domain::Usage::default(),
        request_id: None,
        raw_usage: None,
    };
    let journal = journal_of(&roles.worker, &old);
    let late = [
        journal.append(&[Event::Noted { message: "late".into() }], soon()).await.err(),
        journal.reserve(1, "m", (Money(1), 70), soon()).await.err(),
        journal.settle(1, &settlement, &[], soon()).await.err(),
        roles.worker.release(&old.claim, "late").await.err(),
        roles.worker.fail_attempt(&old.claim, ExitReason::ModelError, "late", None).await.err(),
        journal.finish(end, None, &[], soon()).await.err(),
    ];
    for error in late {
        assert!(matches!(error, Some(StoreError::StaleLease(_))), "{error:?}");
    }
    assert_eq!(roles.worker.heartbeat(slow, &[old.claim]).await.unwrap(), [Verdict::Lost]);
    assert_eq!(roles.worker.heartbeat(quick, &[new.claim]).await.unwrap(), [Verdict::Ok]);
    assert_eq!(roles.api.events(old.claim.job, 0, 100).await.unwrap(), before);
}

#[tokio::test]
async fn a_worker_hangs_when_its_lease_runs_out_over_a_job_but_not_when_it_is_idle() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let (idle, hanging) = (hired(&roles.worker).await, hired(&roles.worker).await);
    let first = claimed(&roles.api, &roles.worker, hanging).await;
    claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    assert_eq!(silent(&scaler, &[idle, hanging]).await, []);
    let admin = roles.database.client("postgres").await;
    let ran_out = "update codeteam.workers set lease_ms = 1, lease_expires_at = now() - interval '1 second'
                   where id = any ($1)";
    admin.execute(ran_out, &[&vec![idle.0, hanging.0]]).await.unwrap();
    assert_eq!(silent(&scaler, &[idle, hanging]).await, [hanging]);
    let _ = roles.worker.release(&first.claim, "given back").await;
    assert_eq!(silent(&scaler, &[idle, hanging]).await, []);

    let long_ago = "update codeteam.workers set heartbeat_at = now() - interval '3 minutes' where id = $1";
    admin.execute(long_ago, &[&idle.0]).await.unwrap();
    let up_since = admin.query_one("select pg_postmaster_start_time() < now() - interval '2 minutes'", &[]);
    let expected = if up_since.await.unwrap().get(0) { vec![idle] } else { vec![] };
    assert_eq!(silent(&scaler, &[idle, hanging]).await, expected);
}

#[tokio::test]
async fn after_three_worker_deaths_a_job_is_dead() {
    let roles = roles().await;
    let id = roles.api.submit(&testkit::job()).await.unwrap();
    let mut attempts = 0;
    while roles.api.job(id).await.unwrap().state != JobState::Dead {
        attempts += usize::from(
            roles
                .worker
                .claim(hired_for(&roles.worker, SHORT).await, Mode::Mechanic)
                .await
                .unwrap()
                .is_some(),
        );
    }
    let job = roles.api.job(id).await.unwrap();
    assert_eq!((attempts, job.exit_reason), (3, Some(ExitReason::LostWorker)));
}

#[tokio::test]
async fn a_heartbeat_keeps_a_lease_and_names_each_job_by_its_attempt() {
    let roles = roles().await;
    let by = hired(&roles.worker).await;
    let held = claimed(&roles.api, &roles.worker, by).await.claim;
    let older = store::Claim { attempt: domain::Attempt(0), ..held };
    let verdicts = roles.worker.heartbeat(by, &[held]).await.unwrap();
    assert_eq!(verdicts, [Verdict::Ok]);
    assert_eq!(roles.worker.heartbeat(by, &[older]).await.unwrap(), [Verdict::Lost]);
    assert_eq!(roles.worker.heartbeat(worker(), &[held]).await.unwrap(), [Verdict::Lost]);
}

#[tokio::test]
async fn no_lease_counts_as_expired_before_one_lease_time_after_the_database_was_started() {
    outlives(async |server, _| server.restart(embedded::Shutdown::Immediate).await).await;
}

#[tokio::test]
async fn nor_after_it_recovered_from_the_crash_of_one_of_its_processes() {
    outlives(async |server, name| {
        let admin = connected(server, name).await;
        let asked = "select pg_backend_pid(), pg_stat_get_bgwriter_stat_reset_time()";
        let row = admin.query_one(asked, &[]).await.unwrap();
        let (pid, before): (i32, std::time::SystemTime) = (row.get(0), row.get(1));
        let kill = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        assert!(kill.success());
        // The server still answers for a moment, until it notices: only then is the outage over.
        let deadline = Instant::now() + Duration::from_secs(30);
        while recovered(server, name).await.is_none_or(|at| at == before) {
            assert!(Instant::now() < deadline, "the server did not recover");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// When the server last began with fresh statistics, which is when it recovered; nothing while it does not answer.
async fn recovered(server: &testkit::Server, name: &str) -> Option<std::time::SystemTime> {
    let admin = connected(server, name).await;
    Some(admin.query_one("select pg_stat_get_bgwriter_stat_reset_time()", &[]).await.ok()?.get(0))
}

/// A client, as soon as the server answers.
pub async fn connected(server: &testkit::Server, name: &str) -> tokio_postgres::Client {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match tokio_postgres::connect(&server.url("postgres", name), tokio_postgres::NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                return client;
            }
            Err(error) => assert!(Instant::now() < deadline, "the database does not come back: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A job stays its worker's, whatever `outage` does to the database.
async fn outlives(outage: impl AsyncFnOnce(&testkit::Server, &str)) {
    let server = testkit::Server::start().await;
    let name = testkit::TestDatabase::create(&server, "template codeteam_template").await;
    let open = |role: &str| {
        let config = store::Config::parse(&server.url(role, &name), "test").unwrap();
        async { store::Database::open(config).await.unwrap() }
    };
    let (api, workers) = (open("codeteam_api").await, Arc::new(open("codeteam_worker").await));
    api.submit(&testkit::job()).await.unwrap();
    let first = hired_for(&workers, Duration::from_secs(60)).await;
    let held = workers.claim(first, Mode::Mechanic).await.unwrap().unwrap();
    // A claim's own commit does not wait for the disk; the first write under it does, and takes the claim along.
    journal_of(&workers, &held).append(&[Event::Noted { message: "at work".into() }], soon()).await.unwrap();

    outage(&server, &name).await;
    // As if the outage had lasted longer than the lease.
    connected(&server, &name)
        .await
        .batch_execute("update codeteam.workers set lease_expires_at = now() - interval '1 minute'")
        .await
        .unwrap();

    let deadline = Instant::now() + Duration::from_secs(30);
    let thief = workers
        .insist(deadline, || async { workers.claim(hired(&workers).await, Mode::Mechanic).await })
        .await
        .unwrap();
    assert!(thief.is_none(), "the lease was taken though its holder had no chance to renew it");
    assert_eq!(workers.heartbeat(first, &[held.claim]).await.unwrap(), [Verdict::Ok]);
    server.stop().await;
}

#[tokio::test]
async fn a_job_whose_claim_its_worker_never_heard_of_goes_back_unharmed() {
    let roles = roles().await;
    let by = hired(&roles.worker).await;
    let job = claimed(&roles.api, &roles.worker, by).await.claim.job;
    // As if the claim's answer had been lost: the worker is alive, and does not name the job for a third of its lease.
    roles.worker.heartbeat(by, &[]).await.unwrap();
    assert_eq!(
        roles.api.job(job).await.unwrap().state,
        JobState::Running,
        "the answer may still be on its way"
    );
    let admin = roles.database.client("postgres").await;
    let a_while_ago = "update codeteam.jobs set started_at = started_at - interval '11 seconds'";
    admin.batch_execute(a_while_ago).await.unwrap();
    roles.worker.heartbeat(by, &[]).await.unwrap();
    assert_eq!(roles.api.job(job).await.unwrap().state, JobState::Queued);
    let again = roles.worker.claim(hired(&roles.worker).await, Mode::Mechanic).await.unwrap().unwrap();
    assert_eq!((again.claim.job, again.failures), (job, 0));
    let events = roles.api.events(job, 0, 10).await.unwrap();
    assert!(!events.iter().any(|record| matches!(record.event, Event::LeaseExpired { .. })));
}

#[tokio::test]
async fn only_a_registered_worker_may_claim() {
    let roles = roles().await;
    let error = roles.worker.claim(worker(), Mode::Mechanic).await.unwrap_err();
    assert!(matches!(error, StoreError::UnknownWorker(_)), "{error:?}");
}

#[tokio::test]
async fn a_heartbeat_that_comes_too_late_takes_nothing_back() {
    let roles = roles().await;
    let by = hired(&roles.worker).await;
    let held = claimed(&roles.api, &roles.worker, by).await.claim;
    let admin = roles.database.client("postgres").await;
    // As if this server had been up for long, and the worker silent for its lease.
    admin
        .batch_execute(
            "update codeteam.workers set lease_ms = 1, lease_expires_at = now() - interval '1 second'",
        )
        .await
        .unwrap();
    assert_eq!(roles.worker.heartbeat(by, &[held]).await.unwrap(), [Verdict::Lost]);
    let next = roles.worker.claim(hired(&roles.worker).await, Mode::Mechanic).await.unwrap().unwrap();
    assert_eq!((next.claim.job, next.claim.attempt.0), (held.job, 2));
}

/// A call that its client has given up may still be under way when it is said again on another connection.
#[tokio::test]
async fn the_same_settlement_said_twice_at_once_is_written_once() {
    let roles = roles().await;
    let held = claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    let other = roles.database.store("codeteam_worker").await;
    let (one, two) = (journal_of(&roles.worker, &held), journal_of(&other, &held));
    one.reserve(1, "m", (Money(9), 9), soon()).await.unwrap();
    let settlement = Settlement {
        basis: Basis::Unbilled,
        model: "m",
        cost: Money::ZERO,
        usage: domain::Usage::default(),
        request_id: None,
        raw_usage: None,
    };
    let event = [Event::Noted { message: "once".into() }];
    let mut locker = roles.database.client("postgres").await;
    let lock = locker.transaction().await.unwrap();
    lock.execute("select from codeteam.jobs for update", &[]).await.unwrap();
    let (first, second, ()) = tokio::join!(
        one.settle(1, &settlement, &event, soon()),
        two.settle(1, &settlement, &event, soon()),
        async { lock.commit().await.unwrap() }
    );
    first.unwrap();
    second.unwrap();
    assert_eq!(roles.api.events(held.claim.job, held.seq, 10).await.unwrap().len(), 1);
}
