use std::time::Duration;

use domain::Mode;
use store::{Doorbell, Topic};
use tokio::time::timeout;

use crate::{claimed, hired, roles};

#[tokio::test]
async fn a_paused_modes_jobs_wait_and_nobody_is_kept_awake_for_them() {
    let roles = roles().await;
    let by = hired(&roles.worker).await;
    let at_work = claimed(&roles.api, &roles.worker, by).await;
    roles.api.submit(&testkit::job()).await.unwrap();
    roles.api.pause(Mode::Mechanic, "the provider is down").await.unwrap();
    assert!(roles.worker.claim(by, Mode::Mechanic).await.unwrap().is_none());
    let seen = roles.database.store("codeteam_scaler").await.observe().await.unwrap();
    assert_eq!((seen.mechanic.ready, seen.mechanic.running), (0, 1), "what is at work goes on");
    assert_eq!(roles.worker.heartbeat(by, &[at_work.claim]).await.unwrap(), [store::Verdict::Ok]);
    assert_eq!(roles.api.pauses().await.unwrap()[0].reason, "the provider is down");

    assert!(roles.api.resume(Mode::Mechanic).await.unwrap());
    assert!(!roles.api.resume(Mode::Mechanic).await.unwrap(), "it was not paused any more");
    assert!(roles.worker.claim(by, Mode::Mechanic).await.unwrap().is_some());
}

#[tokio::test]
async fn a_sleeper_hears_that_its_mode_goes_on() {
    let roles = roles().await;
    roles.api.submit(&testkit::job()).await.unwrap();
    roles.api.pause(Mode::Mechanic, "").await.unwrap();
    let by = hired(&roles.worker).await;
    let mut doorbell = Doorbell::new(roles.worker.clone(), Topic::Mode(Mode::Mechanic), by.0);
    let admin = roles.database.client("postgres").await;
    let (woken, ()) = tokio::join!(timeout(Duration::from_secs(20), doorbell.sleep()), async {
        while admin.query("select from codeteam.sleepers", &[]).await.unwrap().is_empty() {}
        roles.api.resume(Mode::Mechanic).await.unwrap();
    });
    woken.expect("it sleeps on").unwrap();
    assert!(roles.worker.claim(by, Mode::Mechanic).await.unwrap().is_some());
}
