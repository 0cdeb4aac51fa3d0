//! Connections that break, stall, or lose an answer after the database has done the work.

use std::sync::Arc;
use std::time::Duration;

use domain::{Event, Mode};
use store::{Config, Database, Doorbell, StoreError, Topic};
use testkit::{Proxy, TestDatabase, Traffic};
use tokio::time::timeout;

use crate::fence::connected;
use crate::{claimed, hired, journal_of, roles, soon, worker};

async fn through(proxy: &Proxy, database: &TestDatabase, role: &str) -> Arc<Database> {
    let config = Config::parse(&proxy.url(role, database.name()), "test").unwrap();
    Arc::new(Database::open(config).await.unwrap())
}

#[tokio::test]
async fn events_whose_acknowledgement_is_lost_are_written_once() {
    let roles = roles().await;
    let proxy = Proxy::start(&roles.database.url("postgres")).await;
    let workers = through(&proxy, &roles.database, "codeteam_worker").await;
    let held = claimed(&roles.api, &workers, hired(&workers).await).await;
    let journal = journal_of(&workers, &held);
    for n in 0..20 {
        proxy.set(if n % 2 == 0 { Traffic::LoseNextReply } else { Traffic::Pass });
        journal.append(&[Event::Noted { message: n.to_string() }], soon()).await.unwrap();
    }
    let events = roles.api.events(held.claim.job, held.seq, 100).await.unwrap();
    let notes: Vec<_> = events.into_iter().map(|record| record.event).collect();
    assert_eq!(notes, (0..20).map(|n| Event::Noted { message: n.to_string() }).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_sleeper_survives_a_connection_that_breaks_and_hears_the_next_job() {
    let roles = roles().await;
    let proxy = Proxy::start(&roles.database.url("postgres")).await;
    let workers = through(&proxy, &roles.database, "codeteam_worker").await;
    let mut doorbell = Doorbell::new(workers.clone(), Topic::Mode(Mode::Mechanic), worker().0);
    let slept = tokio::spawn(async move { doorbell.sleep().await });
    let admin = roles.database.client("postgres").await;
    timeout(Duration::from_secs(20), async {
        while admin.query("select from codeteam.sleepers", &[]).await.unwrap().is_empty() {}
    })
    .await
    .unwrap();

    proxy.set(Traffic::Refuse);
    roles.api.submit(&testkit::job()).await.unwrap(); // it rings, and nobody can hear it
    proxy.set(Traffic::Pass);
    timeout(Duration::from_secs(20), slept).await.expect("it looks again on reconnect").unwrap().unwrap();
}

#[tokio::test]
async fn a_server_that_stops_answering_is_given_up_and_asked_again_on_a_new_connection() {
    let roles = roles().await;
    let proxy = Proxy::start(&roles.database.url("postgres")).await;
    let config = Config::parse(&proxy.url("codeteam_api", roles.database.name()), "test").unwrap();
    let api = Database::open(config.with_statement_timeout(Duration::from_millis(300))).await.unwrap();
    proxy.set(Traffic::Swallow);
    let error = api.jobs(store::JobFilter::default(), 1).await.unwrap_err();
    assert!(matches!(error, StoreError::TimedOut(_)) && error.is_transient(), "{error:?}");
    proxy.set(Traffic::Pass);
    api.insist(soon(), || api.jobs(store::JobFilter::default(), 1)).await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_not_there_is_said_in_one_sentence() {
    let config = Config::parse("postgres://nobody@127.0.0.1:9/none", "test").unwrap();
    let error = Database::open(config).await.err().unwrap();
    assert_eq!(error.to_string(), "the database cannot be reached");
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_login_that_changed_is_read_anew_and_another_ones_refusal_is_told() {
    let server = testkit::Server::start().await;
    let name = TestDatabase::create(&server, "template codeteam_template").await;
    let admin = connected(&server, &name).await;
    let make = "create role old login in role codeteam_api; create role new login in role codeteam_api";
    admin.batch_execute(make).await.unwrap();
    let config = |role: &str| Config::parse(&server.url(role, &name), "renewing").unwrap();
    let (new, asked) = (server.url("new", &name), Arc::new(std::sync::atomic::AtomicU32::new(0)));
    let count = asked.clone();
    let renewal = move || match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => Ok(new.clone()),
        _ => Err("the secrets are gone".to_owned()),
    };
    let api = Database::open(config("old").renewed_by(renewal)).await.unwrap();
    let lock_out = async |role: &str| {
        let sql = format!(
            "alter role {role} nologin; select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'renewing'"
        );
        admin.batch_execute(&sql).await.unwrap();
    };
    lock_out("old").await;
    api.insist(soon(), || api.counts()).await.unwrap();
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
    lock_out("new").await;
    let refused = api.insist(soon(), || api.counts()).await.unwrap_err();
    assert!(format!("{refused:?}").contains("not permitted to log in"), "{refused:?}");
    drop((api, admin));
    server.stop().await;
}
