//! Programs that are at work while a newer one migrates their database. This program is the older of the pair; the newer one's
//! migrations are made up here, and applied as it would apply them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{Event, ExitReason, JobState, Mode, Outcome};
use refinery::{Migration, Runner};
use store::{Config, Database, Doorbell, StoreError, Topic, migrate};
use testkit::{Proxy, TestDatabase, Traffic};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::{hired, journal_of, roles, soon};

const ADDS: &str = "
    alter table codeteam.jobs add column mood text not null default 'calm';
    create table codeteam.moods (mood text primary key);
    update codeteam.functions_applied set digest = 'theirs'";
const BREAKS: &str = "
    alter table codeteam.pauses rename to halts;
    update codeteam.compatibility set works_since = 9002;
    update codeteam.functions_applied set digest = 'theirs'";

async fn newer_program_migrates(database: &TestDatabase, name: &str, sql: &str) {
    let mut runner = Runner::new(&[Migration::unapplied(name, sql).unwrap()]).set_abort_missing(false);
    runner.set_migration_table_name("codeteam.schema_history");
    runner.run_async(&mut database.client("postgres").await).await.unwrap();
}

fn owner(database: &TestDatabase) -> Config {
    Config::parse(&database.url("postgres"), "test").unwrap()
}

async fn digest(database: &TestDatabase) -> String {
    let sql = "select digest from codeteam.functions_applied";
    database.client("postgres").await.query_one(sql, &[]).await.unwrap().get(0)
}

/// Programs that submit jobs and work on them until they are told to stop. None of their calls may fail.
struct Fleet {
    stop: Arc<AtomicBool>,
    done: watch::Sender<u32>,
    programs: JoinSet<()>,
}

impl Fleet {
    async fn start(database: &TestDatabase) -> Fleet {
        let mut fleet =
            Fleet { stop: Arc::default(), done: watch::Sender::default(), programs: JoinSet::new() };
        for _ in 0..2 {
            let (api, workers) =
                (database.store("codeteam_api").await, database.store("codeteam_worker").await);
            fleet.programs.spawn(submits(api, fleet.stop.clone()));
            fleet.programs.spawn(works(workers, fleet.stop.clone(), fleet.done.clone()));
        }
        fleet
    }

    /// Returns when so many more jobs are done.
    async fn does(&mut self, jobs: u32) {
        let mut done = self.done.subscribe();
        let target = *done.borrow() + jobs;
        tokio::select! {
            reached = done.wait_for(|done| *done >= target) => drop(reached.unwrap()),
            ended = self.programs.join_next() => panic!("a call failed: {ended:?}"),
        }
    }

    async fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(program) = self.programs.join_next().await {
            program.expect("none of its calls failed");
        }
    }
}

async fn submits(api: Arc<Database>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        api.submit(&testkit::job()).await.unwrap();
    }
}

async fn works(workers: Arc<Database>, stop: Arc<AtomicBool>, done: watch::Sender<u32>) {
    let by = hired(&workers).await;
    while !stop.load(Ordering::Relaxed) {
        let Some(held) = workers.claim(by, Mode::Mechanic).await.unwrap() else { continue };
        let journal = journal_of(&workers, &held);
        journal.append(&[Event::Noted { message: "at it".into() }], soon()).await.unwrap();
        let end = (JobState::Succeeded, Outcome::Verified, ExitReason::Finished);
        journal.finish(end, None, &[], soon()).await.unwrap();
        done.send_modify(|done| *done += 1);
    }
}

#[tokio::test]
async fn programs_go_on_through_a_migration_that_only_adds() {
    let database = TestDatabase::new().await;
    let mut fleet = Fleet::start(&database).await;
    fleet.does(5).await;
    newer_program_migrates(&database, "V9001__adds", ADDS).await;
    fleet.does(20).await;
    fleet.stop().await;
    database.store("codeteam_api").await.submit(&testkit::job()).await.unwrap();

    let migrated = migrate(owner(&database)).await.unwrap();
    assert!((migrated.version, migrated.applied.len(), migrated.functions_replaced) == (9001, 0, false));
    assert!(migrated.known < 9001, "it says that a newer program was here");
    assert_eq!(digest(&database).await, "theirs", "an older program leaves the functions alone");
}

#[tokio::test]
async fn programs_go_on_while_the_functions_are_replaced_under_them() {
    let database = TestDatabase::new().await;
    let mut fleet = Fleet::start(&database).await;
    let admin = database.client("postgres").await;
    for _ in 0..5 {
        fleet.does(5).await;
        admin.batch_execute("update codeteam.functions_applied set digest = 'another'").await.unwrap();
        assert!(migrate(owner(&database)).await.unwrap().functions_replaced);
    }
    fleet.does(5).await;
    fleet.stop().await;
}

#[tokio::test]
async fn a_migration_that_must_wait_lets_others_pass() {
    let database = TestDatabase::new().await;
    let mut fleet = Fleet::start(&database).await;
    let mut reader = database.client("postgres").await;
    let reading = reader.transaction().await.unwrap();
    reading
        .batch_execute("select from codeteam.calls limit 1; lock table codeteam.jobs in row exclusive mode")
        .await
        .unwrap();
    let admin = database.client("postgres").await;
    admin.batch_execute("update codeteam.functions_applied set digest = 'another'").await.unwrap();
    let migrating = tokio::spawn(migrate(owner(&database)));
    let waits = "select exists (select from pg_locks l join pg_stat_activity a using (pid)
                                where not l.granted and a.application_name = 'test' and l.mode like '%Exclusive%'
                                  and l.database = (select oid from pg_database where datname = current_database()))";
    for _ in 0..2 {
        while !admin.query_one(waits, &[]).await.unwrap().get::<_, bool>(0) {
            assert!(!migrating.is_finished());
        }
        fleet.does(5).await;
    }
    reading.commit().await.unwrap();
    assert!(migrating.await.unwrap().unwrap().functions_replaced);
    fleet.stop().await;
}

fn says_that_it_is_too_old(error: Option<StoreError>) {
    let error = error.expect("this program knows nothing of that schema");
    assert!(matches!(error, StoreError::SchemaNewer { found: 9002, works_since: 9002, .. }), "{error:?}");
    assert!(!error.is_transient());
    assert!(
        error.to_string().contains("9002") && error.to_string().contains("use a newer codeteam"),
        "{error}"
    );
}

#[tokio::test]
async fn a_program_that_a_migration_left_behind_is_refused_when_it_comes() {
    let database = TestDatabase::new().await;
    newer_program_migrates(&database, "V9002__breaks", BREAKS).await;
    let api = Config::parse(&database.url("codeteam_api"), "test").unwrap();
    says_that_it_is_too_old(Database::open(api).await.err());
    says_that_it_is_too_old(migrate(owner(&database)).await.err());
    assert_eq!(digest(&database).await, "theirs");
}

#[tokio::test]
async fn a_program_that_is_left_behind_at_work_is_told_so_at_its_next_connect_error_or_sleep() {
    let roles = roles().await;
    let proxy = Proxy::start(&roles.database.url("postgres")).await;
    let config = Config::parse(&proxy.url("codeteam_api", roles.database.name()), "test").unwrap();
    let disconnected = Database::open(config).await.unwrap();
    let by = hired(&roles.worker).await;
    newer_program_migrates(&roles.database, "V9002__breaks", BREAKS).await;

    says_that_it_is_too_old(roles.api.pauses().await.err());
    let mut doorbell = Doorbell::new(roles.worker.clone(), Topic::Mode(Mode::Mechanic), by.0);
    let slept = timeout(Duration::from_secs(20), doorbell.sleep()).await.expect("it is told before it waits");
    says_that_it_is_too_old(slept.err());
    proxy.set(Traffic::Refuse);
    assert!(disconnected.pauses().await.unwrap_err().is_transient());
    proxy.set(Traffic::Pass);
    says_that_it_is_too_old(disconnected.insist(soon(), || disconnected.pauses()).await.err());
}

#[tokio::test]
async fn a_statement_that_was_prepared_goes_on_when_a_migration_changes_what_it_gives() {
    let database = TestDatabase::new().await;
    let api = Database::open(owner(&database)).await.unwrap();
    assert!(api.pauses().await.unwrap().is_empty());
    newer_program_migrates(
        &database,
        "V9001__retype",
        "alter table codeteam.pauses alter column reason type varchar(4000)",
    )
    .await;
    for _ in 0..2 {
        assert!(api.pauses().await.unwrap().is_empty());
    }
}
