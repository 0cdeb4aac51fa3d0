//! Of several scalers one calls AWS; when it goes, dies or hangs another one does, and never both.

use domain::Mode;
use nix::sys::signal::Signal;
use system_tests::aws::Call;

use super::cloud::{Cloud, GENIUS, MECHANIC, took};

/// Who made these calls, each once, in their order.
fn callers(calls: &[Call]) -> Vec<&str> {
    let mut callers: Vec<&str> = calls.iter().filter_map(|call| call.key.as_deref()).collect();
    callers.dedup();
    callers
}

pub async fn a_killed_leaders_work_is_gone_on_with_by_the_standby() {
    let cloud = Cloud::counting().await;
    let first = cloud.scaler("first", &[]);
    cloud.called(0, GENIUS, 0).await;
    let _second = cloud.scaler("second", &[]);
    cloud.logged("second", |log| log.contains("watching the queue")).await;
    cloud.queue(Mode::Mechanic, 2).await;
    let calls = cloud.called(0, MECHANIC, 2).await;
    assert_eq!(callers(&calls), ["first"]);

    first.kill().await;
    let died = cloud.calls_so_far().await;
    cloud.queue(Mode::Mechanic, 1).await;
    let calls = cloud.called(died, MECHANIC, 3).await;
    assert_eq!(callers(&calls), ["second"]);
    assert_eq!(took(&calls, MECHANIC), [3], "it holds what stands until it knows better");
    let told = cloud.fleet_events("leader_changed").await;
    let told: Vec<&str> = told.iter().map(|event| event.message.as_str()).collect();
    assert_eq!(told, ["a scaler leads", "a standby leads: the scaler before it went"]);
    cloud.aws.stop().await;
}

/// As long as a leader may be silent while it is awake, a quarter of a minute, and a standby's ten seconds between two questions.
pub async fn a_leader_that_hangs_is_replaced_and_makes_no_call_when_it_goes_on() {
    let cloud = Cloud::counting().await;
    let mut first = cloud.scaler("first", &[]);
    cloud.queue(Mode::Mechanic, 1).await;
    cloud.called(0, MECHANIC, 1).await;
    let mut second = cloud.scaler("second", &[]);
    cloud.logged("second", |log| log.contains("watching the queue")).await;
    // Who has just woken is given more time, until it has renewed its lead.
    cloud.until("(select heard_until < now() + interval '20 seconds' from codeteam.leader)").await;
    first.signal(Signal::SIGSTOP);
    cloud.queue(Mode::Mechanic, 1).await;
    cloud.called(0, MECHANIC, 2).await;
    let taken_over = cloud.calls_so_far().await;

    first.signal(Signal::SIGCONT);
    cloud.logged("first", |log| log.contains("another scaler leads from now on")).await;
    cloud.queue(Mode::Mechanic, 1).await;
    cloud.called(taken_over, MECHANIC, 3).await;
    let calls = cloud.aws.calls(0).await;
    assert_eq!(callers(&calls), ["first", "second"], "one after the other: {calls:#?}");
    cloud.until("(select count(*) >= 3 from codeteam.scale_decisions)").await; // written after the call
    let decided: Vec<i32> = cloud.decisions().await.iter().map(|decision| decision.target).collect();
    assert_eq!(decided, [1, 2, 3], "nor did it decide anything");
    let told = cloud.fleet_events("leader_changed").await;
    assert_eq!(told[1].message, "a standby leads: the scaler before it hangs");

    let before = cloud.calls_so_far().await;
    second.signal(Signal::SIGTERM);
    assert!(second.wait().await.success());
    // What it finds it says again.
    let calls = cloud
        .aws
        .calls_until(before, |calls| !took(calls, GENIUS).is_empty() && !took(calls, MECHANIC).is_empty())
        .await;
    assert_eq!(
        (took(&calls, MECHANIC), took(&calls, GENIUS)),
        (vec![3], vec![0]),
        "no capacity changed: {calls:#?}"
    );
    assert_eq!(callers(&calls).last(), Some(&"first"));
    first.signal(Signal::SIGTERM);
    assert!(first.wait().await.success());
    cloud.aws.stop().await;
}
