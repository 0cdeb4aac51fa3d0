//! A scaler with nothing to do leaves the database and AWS in peace, and yet nothing is forgotten.

use domain::Mode;
use nix::sys::signal::Signal;

use super::cloud::{Cloud, GENIUS, MECHANIC, PUT, took};

/// Of the one scaler: its connection, and when it last began or ended a statement.
const LAST_WORD: &str = "select pid || ' ' || state_change from pg_stat_activity
    where usename = 'codeteam_scaler' and datname = current_database()";

/// The one test here that waits for the safety look, half a minute: what it waits through is what it looks at.
pub async fn asleep_it_says_nothing_to_the_database_and_finds_what_nobody_rang_for() {
    let cloud = Cloud::counting().await;
    let mut scaler = cloud.scaler("scaler", &[("METRICS_EACH_MS", "300")]);
    cloud.called(0, GENIUS, 0).await;
    cloud.asleep().await;
    // As if the network had swallowed the ring.
    cloud.owner.batch_execute("delete from codeteam.sleepers").await.unwrap();
    let job = cloud.queue(Mode::Mechanic, 1).await[0];
    assert!(cloud.holds("not exists (select from codeteam.sleepers)").await);

    let before = cloud.calls_so_far().await;
    let word = async || cloud.owner.query(LAST_WORD, &[]).await.unwrap()[0].get::<_, String>(0);
    let last_word = word().await;
    let calls = cloud.aws.calls_until(before, |calls| calls.len() >= 30).await;
    assert_eq!(word().await, last_word, "it made a statement");
    assert!(calls.iter().all(|call| call.operation == PUT), "it asked AWS for more: {calls:#?}");

    let calls = cloud.called(before, MECHANIC, 1).await;
    assert_eq!(took(&calls, MECHANIC), [1]);
    cloud.until("exists (select from codeteam.scale_decisions)").await;
    assert_eq!(cloud.decisions().await[0].job, Some(job));
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());
    cloud.aws.stop().await;
}
