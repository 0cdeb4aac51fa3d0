//! What people do by hand: their limits and pauses count, and what they change at AWS behind the scaler's back is changed back.

use domain::Mode;
use nix::sys::signal::Signal;
use serde_json::json;
use store::FleetLimits;
use system_tests::aws::Fault;
use system_tests::{ModelServer, Repo, Say, tool};

use super::cloud::{Cloud, GENIUS, MECHANIC, took};

fn limits(min: Option<u32>, max: Option<u32>) -> FleetLimits {
    FleetLimits { min, max, ..FleetLimits::default() }
}

#[tokio::test]
async fn a_minimum_that_is_set_wakes_a_sleeping_scaler_and_a_pause_holds_what_stands() {
    let cloud = Cloud::counting().await;
    let mut scaler = cloud.scaler("scaler", &[]);
    cloud.called(0, GENIUS, 0).await;
    cloud.asleep().await;
    cloud.team.api.set_limits(Mode::Mechanic, &limits(Some(1), None)).await.unwrap();
    cloud.called(0, MECHANIC, 1).await;
    cloud.asleep().await;
    assert_eq!(cloud.aws.fleet().await.desired[MECHANIC], 1, "it is kept, though there is no work");
    cloud.until("exists (select from codeteam.scale_decisions)").await;
    assert_eq!(cloud.decisions().await[0].reason, "nothing is queued or running: 1 worker is always kept");

    let paused_at = cloud.calls_so_far().await;
    cloud.team.api.pause_scaling(Mode::Mechanic, "the model is down").await.unwrap();
    cloud.queue(Mode::Mechanic, 5).await;
    cloud.queue(Mode::Genius, 2).await; // both come with one look, the other's call is a sign that this one was decided too
    let calls = cloud.called(paused_at, GENIUS, 2).await;
    assert_eq!(took(&calls, MECHANIC), [0; 0], "the pause holds");
    let resumed_at = cloud.calls_so_far().await;
    assert!(cloud.team.api.resume_scaling(Mode::Mechanic).await.unwrap());
    let calls = cloud.called(resumed_at, MECHANIC, 5).await;
    assert_eq!(took(&calls, MECHANIC), [5]);
    let kinds = ["limits_changed", "scaling_paused", "scaling_resumed"];
    let mut told = Vec::new();
    for kind in kinds {
        told.push(cloud.fleet_events(kind).await.len());
    }
    assert_eq!(told, [1, 1, 1]);
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());

    cloud.team.api.pause_scaling(Mode::Mechanic, "").await.unwrap();
    cloud.aws.set_capacity(MECHANIC, 7).await;
    cloud.aws.fault("DescribeScalableTargets", Fault::AccessDenied, None).await;
    let started_at = cloud.calls_so_far().await;
    let mut scaler = cloud.scaler("blind", &[]);
    cloud.called(started_at, GENIUS, 2).await;
    cloud.queue(Mode::Genius, 1).await;
    let calls = cloud.called(started_at, GENIUS, 3).await;
    assert_eq!(took(&calls, MECHANIC), [0; 0], "it holds what it cannot see, too");
    assert_eq!(cloud.aws.fleet().await.desired[MECHANIC], 7);
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());
    cloud.aws.stop().await;
}

#[tokio::test]
async fn a_maximum_below_the_busy_workers_stops_none_of_them() {
    let dawdling = |_, _: &_| Say::Content(vec![tool("bash", json!({"command": "sleep 600"}))]);
    let model = ModelServer::start(dawdling).await;
    let cloud = Cloud::working(&model.url).await;
    let mut scaler = cloud.scaler("scaler", &[("COOL_DOWN_MS", "0")]);
    let repo = Repo::demo();
    for _ in 0..2 {
        cloud.team.submit_demo(&repo).await;
    }
    cloud.until("(select count(*) = 2 from codeteam.jobs where state = 'running')").await;
    let busy = cloud.calls_so_far().await;
    cloud.team.api.set_limits(Mode::Mechanic, &limits(None, Some(1))).await.unwrap();
    cloud.queue(Mode::Genius, 1).await;
    let calls = cloud.called(busy, GENIUS, 1).await;
    assert_eq!(took(&calls, MECHANIC), [0; 0], "both fleets are decided with one look");
    let fleet = cloud.aws.fleet().await;
    assert_eq!((fleet.desired[MECHANIC], fleet.count(MECHANIC, "running")), (2, 2));
    assert!(fleet.tasks.iter().all(|task| task.signalled_at_ns.is_none()));
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());
    assert_eq!(cloud.aws.fleet().await.desired[MECHANIC], 2, "a scaler that goes changes nothing");
    cloud.aws.stop().await;
}

/// AWS is asked each half minute while anybody works: this waits for it.
pub async fn capacity_that_somebody_set_is_set_back_and_told_of() {
    let cloud = Cloud::counting().await;
    let mut scaler = cloud.scaler("scaler", &[]);
    cloud.queue(Mode::Mechanic, 2).await;
    cloud.called(0, MECHANIC, 2).await;
    let then = cloud.calls_so_far().await;
    let by_hand = json!({
        "ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceId": "service/ai-coding-team/mechanic-worker", "MinCapacity": 0, "MaxCapacity": 1,
    });
    let target = "AnyScaleFrontendService.RegisterScalableTarget";
    assert_eq!(cloud.aws.aws("application-autoscaling", target, &by_hand).await.0, 200);
    cloud.aws.set_capacity(GENIUS, 3).await;
    assert_eq!(cloud.aws.fleet().await.desired[MECHANIC], 1);
    let back =
        cloud.aws.fleet_until(|fleet| (fleet.desired[MECHANIC], fleet.desired[GENIUS]) == (2, 0)).await;
    assert!(back.tasks.iter().all(|task| task.state != "stopping"));
    cloud.until("exists (select from codeteam.fleet_events where kind = 'drifted')").await;
    let told = cloud.fleet_events("drifted").await;
    assert_eq!(told[0].mode, Some(Mode::Mechanic));
    assert_eq!(
        told[0].message,
        "somebody set the mechanic workers' capacity to between 0 and 1: it is set to 2 again"
    );
    assert!(cloud.aws.calls(then).await.len() < 10, "it was looked at each half minute");
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());
    cloud.aws.stop().await;
}
