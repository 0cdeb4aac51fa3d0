//! Who has to be waited for before a sleeper may wait: also those who began after it had begun to register.

use std::time::Duration;

use domain::Mode;
use store::{Doorbell, Topic, Wake};
use tokio::time::timeout;

use crate::line::{Alone, INSERT};

/// The insert's transaction id is later than the registration's, and it looked before that was committed. No snapshot's xmax tells.
#[tokio::test]
async fn an_insert_that_began_while_the_sleeper_registered_is_seen() {
    let alone = Alone::start().await;
    let (mut locker, mut writer) = (alone.client("postgres").await, alone.client("codeteam_api").await);
    let lock = locker.transaction().await.unwrap();
    // The registration takes its transaction id, and then waits for this row.
    lock.execute("select from codeteam.workers where id = $1 for update", &[&alone.by.0]).await.unwrap();
    let (workers, by) = (alone.worker.clone(), alone.by);
    let sleeping =
        tokio::spawn(async move { Doorbell::new(workers, Topic::Mode(Mode::Mechanic), by.0).sleep().await });
    let waits = "select count(*) from pg_locks where not granted";
    while alone.number(waits).await == 0 {}
    let insert = writer.transaction().await.unwrap();
    insert.execute(INSERT, &[]).await.unwrap();
    lock.commit().await.unwrap();
    let listed = "select count(*) from codeteam.sleepers";
    while alone.number(listed).await == 0 {}
    // Time for a sleeper that sees no reason to look again to fall asleep.
    for _ in 0..50 {
        alone.number(listed).await;
    }
    insert.commit().await.unwrap();
    let woken = timeout(Duration::from_secs(20), sleeping).await.expect("it sleeps on");
    assert_eq!(woken.unwrap().unwrap(), Wake::Ready);
    alone.server.stop().await;
}
