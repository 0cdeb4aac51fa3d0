//! Through a real PgBouncer in transaction mode: everything works but waiting at the doorbell, which is refused.

use std::sync::Arc;
use std::time::Duration;

use domain::{Event, ExitReason, JobState, Mode, Money, Outcome, Usage};
use store::{
    Basis, Claimed, Config, Database, Doorbell, JobFilter, ReadEvents, Settlement, StoreError, Summons,
    Topic, Verdict, Wake,
};
use testkit::{Pooler, Server, TestDatabase};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

use crate::{hired, journal_of, soon, worker};

const LONG: Duration = Duration::from_secs(20);

async fn pooled(database: &TestDatabase, size: u32) -> Pooler {
    Pooler::start(&database.url("postgres"), size).await
}

async fn through(pooler: &Pooler, role: &str, database: &str) -> Arc<Database> {
    let config = Config::parse(&pooler.url(role, database), "test").unwrap();
    Arc::new(Database::open(config).await.unwrap())
}

/// Another may have the queue's rows in its hands just now.
async fn claim(workers: &Database, by: domain::WorkerId) -> Claimed {
    loop {
        if let Some(claimed) = workers.claim(by, Mode::Mechanic).await.unwrap() {
            return claimed;
        }
    }
}

/// Three jobs: one is done, one cancelled and said to be done again, one given back.
async fn live(api: Arc<Database>, workers: Arc<Database>, scaler: Arc<Database>) {
    let by = hired(&workers).await;
    api.submit(&testkit::job()).await.unwrap();
    assert_eq!(api.submit_all(&[testkit::job(), testkit::job()]).await.unwrap().len(), 2);

    let done = claim(&workers, by).await;
    let journal = journal_of(&workers, &done);
    journal.append(&[Event::Noted { message: "begun".into() }], soon()).await.unwrap();
    journal.reserve(1, "m", (Money(900), 70), soon()).await.unwrap();
    assert_eq!(workers.heartbeat(by, &[done.claim]).await.unwrap(), [Verdict::Ok]);
    let cost = Settlement {
        basis: Basis::Reported,
        model: "m",
        cost: Money(400),
        usage: Usage { output: 5, ..Usage::default() },
        request_id: None,
        raw_usage: None,
    };
    journal.settle(1, &cost, &[Event::Noted { message: "answered".into() }], soon()).await.unwrap();
    let end = (JobState::Succeeded, Outcome::Verified, ExitReason::Finished);
    journal.finish(end, None, &[], soon()).await.unwrap();
    let row = api.job(done.claim.job).await.unwrap();
    assert_eq!((row.state, row.cost, row.steps), (JobState::Succeeded, Money(400), 1));
    let events = api.events(done.claim.job, done.seq, 100).await.unwrap();
    assert_eq!(events.len(), 3, "{events:?}");

    let unwanted = claim(&workers, by).await;
    api.cancel(unwanted.claim.job).await.unwrap();
    assert_eq!(workers.heartbeat(by, &[unwanted.claim]).await.unwrap(), [Verdict::Cancel]);
    let end = (JobState::Cancelled, Outcome::None, ExitReason::Cancelled);
    journal_of(&workers, &unwanted).finish(end, None, &[], soon()).await.unwrap();
    api.retry(unwanted.claim.job).await.unwrap();

    let given_back = claim(&workers, by).await;
    workers.release(&given_back.claim, "drain").await.unwrap();
    api.pause(Mode::Genius, "the provider is down").await.unwrap();
    api.resume(Mode::Genius).await.unwrap();
    assert!(scaler.observe().await.unwrap().mechanic.ready > 0);
    assert!(!api.jobs(JobFilter::default(), 100).await.unwrap().is_empty());
}

#[tokio::test]
async fn whole_lives_of_jobs_pass_through_a_few_shared_connections() {
    let database = TestDatabase::new().await;
    let pooler = pooled(&database, 2).await;
    let mut lives = JoinSet::new();
    for _ in 0..8 {
        let api = through(&pooler, "codeteam_api", database.name()).await;
        let workers = through(&pooler, "codeteam_worker", database.name()).await;
        let scaler = through(&pooler, "codeteam_scaler", database.name()).await;
        lives.spawn(live(api, workers, scaler));
    }
    while let Some(life) = lives.join_next().await {
        life.unwrap();
    }
    let admin = database.client("postgres").await;
    let most = "select max(n) from (
                  select count(*) as n from pg_stat_activity
                  where datname = current_database() and usename like 'codeteam%' group by usename) as roles";
    let most: i64 = admin.query_one(most, &[]).await.unwrap().get(0);
    assert!((1..=2).contains(&most), "{most} server connections for 8 clients");
}

/// What a session could have been left with by the one before it, and the server process that tells.
async fn state(client: &Client) -> (Vec<String>, i32) {
    let sql = "select array[current_setting('synchronous_commit'), current_setting('statement_timeout'),
                            current_setting('lock_timeout'), current_setting('search_path'),
                            current_setting('enable_sort'), current_setting('application_name')], pg_backend_pid()";
    let rows = client.query_typed(sql, &[]).await.unwrap();
    (rows[0].get(0), rows[0].get(1))
}

async fn plain(url: &str, name: &str) -> Client {
    let mut config: tokio_postgres::Config = url.parse().unwrap();
    let (client, connection) = config.application_name(name).connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn nothing_of_one_session_is_left_for_the_next() {
    let database = TestDatabase::new().await;
    let pooler = pooled(&database, 1).await;
    let admin = database.client("postgres").await;
    let setting =
        format!("alter role codeteam_worker in database {} set statement_timeout = '15s'", database.name());
    admin.batch_execute(&setting).await.unwrap(); // as V1 does for the database that it migrates
    let direct = plain(&database.url("codeteam_worker"), "one").await;
    let (untouched, _) = state(&direct).await;
    let url = pooler.url("codeteam_worker", database.name());
    let (one, other) = (plain(&url, "one").await, plain(&url, "other").await);
    let workers = through(&pooler, "codeteam_worker", database.name()).await;
    let by = hired(&workers).await;
    let mut served = std::collections::BTreeSet::new();
    for _ in 0..3 {
        // Both set synchronous_commit for their own transaction; the first also has planner settings of its own.
        workers.claim(by, Mode::Mechanic).await.unwrap();
        workers.heartbeat(by, &[]).await.unwrap();
        let (found, process) = state(&one).await;
        assert_eq!(found, untouched);
        served.insert(process);
        let (found, process) = state(&other).await;
        assert_eq!((&found[..5], found[5].as_str()), (&untouched[..5], "other"));
        served.insert(process);
    }
    assert_eq!(served.len(), 1, "they all had the same server connection");
    assert_eq!((untouched[0].as_str(), untouched[1].as_str()), ("on", "15s"));
}

#[tokio::test]
async fn who_has_to_listen_is_told_to_go_past_the_pooler() {
    let database = TestDatabase::new().await;
    let pooler = pooled(&database, 2).await;
    let config = Config::parse(&pooler.url("codeteam_worker", database.name()), "test").unwrap();
    let refused = Database::open_to_listen(config).await.err().unwrap();
    assert!(matches!(refused, StoreError::Pooled) && !refused.is_transient(), "{refused:?}");
    assert!(refused.to_string().contains("straight to PostgreSQL"), "{refused}");

    let workers = through(&pooler, "codeteam_worker", database.name()).await;
    let by = worker();
    let mut doorbell = Doorbell::new(workers.clone(), Topic::Mode(Mode::Mechanic), by.0);
    let slept = timeout(LONG, doorbell.sleep()).await.expect("it is not left waiting for what never comes");
    assert!(matches!(slept, Err(StoreError::Pooled)));
    assert!(matches!(doorbell.rung().await, Err(StoreError::Pooled)));
    assert!(matches!(Summons::new(workers, by).next().await, Err(StoreError::Pooled)));
    let api = through(&pooler, "codeteam_api", database.name()).await;
    let job = api.submit(&testkit::job()).await.unwrap();
    let last = api.events(job, 0, 100).await.unwrap().last().map_or(0, |event| event.seq);
    assert!(matches!(ReadEvents::new(api, job, last).next().await, Err(StoreError::Pooled)));

    let admin = database.client("postgres").await;
    let sleepers = admin.query("select from codeteam.sleepers", &[]).await.unwrap();
    assert!(sleepers.is_empty(), "nobody is rung for who could not hear it");
}

#[tokio::test]
async fn a_sleeper_beside_the_pooler_hears_what_is_submitted_through_it() {
    let database = TestDatabase::new().await;
    let pooler = pooled(&database, 2).await;
    let config = Config::parse(&database.url("codeteam_worker"), "the sleeper").unwrap();
    let direct = Arc::new(Database::open_to_listen(config).await.unwrap());
    let mut doorbell = Doorbell::new(direct, Topic::Mode(Mode::Mechanic), worker().0);
    let slept = tokio::spawn(async move { doorbell.sleep().await });
    let admin = database.client("postgres").await;
    let listed =
        "select a.application_name from codeteam.sleepers s join pg_stat_activity a on a.pid = s.backend";
    let name: String = timeout(LONG, async {
        loop {
            if let Some(row) = admin.query_opt(listed, &[]).await.unwrap() {
                return row.get(0);
            }
        }
    })
    .await
    .unwrap();
    assert_eq!(name, "the sleeper", "the process that is listed is the one that serves its connection");
    let api = through(&pooler, "codeteam_api", database.name()).await;
    api.submit(&testkit::job()).await.unwrap();
    // A job that comes while it falls asleep is found by a look instead.
    let woken = timeout(LONG, slept).await.expect("it hears of the job").unwrap().unwrap();
    assert!(matches!(woken, Wake::Rung | Wake::Ready), "{woken:?}");
}

#[tokio::test]
async fn a_server_that_goes_and_comes_back_behind_the_pooler_is_a_passing_trouble() {
    let server = Server::start().await;
    let name = TestDatabase::create(&server, "template codeteam_template").await;
    let pooler = Pooler::start(&server.url("postgres", &name), 2).await;
    let api = through(&pooler, "codeteam_api", &name).await;
    api.submit(&testkit::job()).await.unwrap();
    let jobs = || api.jobs(JobFilter::default(), 10);
    let back = std::cell::Cell::new(false);
    let restart = async {
        server.restart(embedded::Shutdown::Immediate).await;
        back.set(true);
    };
    // A restart may fit between two calls: then none of them fails.
    let meanwhile = async {
        let mut failed = Vec::new();
        while failed.is_empty() && !back.get() {
            failed.extend(jobs().await.err());
        }
        failed
    };
    let ((), failed) = tokio::join!(restart, meanwhile);
    assert!(failed.iter().all(StoreError::is_transient), "{failed:?}");
    assert_eq!(api.insist(soon(), jobs).await.unwrap().len(), 1);
    drop(pooler);
    let gone = api.jobs(JobFilter::default(), 10).await.unwrap_err();
    assert!(gone.is_transient(), "{gone:?}");
    server.stop().await;
}
