//! Setting, superseding, checking and stopping.

use std::time::{Duration, SystemTime};

use domain::Mode;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::stand_in::{Play, StandIn, targets};
use super::{capacity, eager, patient};
use crate::aws::per_mode::PerMode;
use crate::aws::{Habits, Outcome};
use aws_client::Kind;

const MECHANIC: &str = "service/ai-coding-team/mechanic-worker";
const GENIUS: &str = "service/ai-coding-team/genius-worker";

#[tokio::test]
async fn a_target_is_set_in_one_call_with_equal_bounds() {
    let mut stand_in = StandIn::start([]).await;
    let (mut capacity, _permit) = capacity(&stand_in.url, eager()).await;
    assert_eq!(capacity.standing(Mode::Mechanic), None);
    capacity.set(Mode::Mechanic, 3, 41);

    let arrived = stand_in.arrived().await;
    assert_eq!(arrived.operation, "RegisterScalableTarget");
    let expected = serde_json::json!({
        "ServiceNamespace": "ecs", "ResourceId": MECHANIC, "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": 3, "MaxCapacity": 3,
    });
    assert_eq!(arrived.body, expected);

    let report = capacity.report().await;
    assert_eq!((report.mode, report.target, report.ticket), (Mode::Mechanic, 3, 41));
    assert_eq!(report.outcome, Outcome::Set);
    assert!(report.called_at.unwrap() > SystemTime::UNIX_EPOCH);
    assert_eq!(capacity.standing(Mode::Mechanic), Some(3));
    assert_eq!(capacity.standing(Mode::Genius), None);
    assert!(capacity.stop().await.is_empty());
    assert_eq!(stand_in.others(), 0);
}

#[tokio::test]
async fn the_same_target_is_sent_again_only_for_another_decision() {
    let mut stand_in = StandIn::start([]).await;
    let (mut capacity, _permit) = capacity(&stand_in.url, eager()).await;
    capacity.set(Mode::Genius, 2, 2);
    assert_eq!(capacity.report().await.ticket, 2);
    capacity.set(Mode::Genius, 2, 2);
    capacity.set(Mode::Mechanic, 1, 3);
    assert_eq!(capacity.report().await.ticket, 3);
    capacity.set(Mode::Genius, 2, 4);
    assert_eq!(capacity.report().await.ticket, 4);
    assert_eq!(stand_in.others(), 3);
}

#[tokio::test]
async fn while_a_call_fails_a_newer_target_takes_its_place_at_once() {
    let refuse = Play::Refuse(400, "ThrottlingException", "Rate exceeded");
    let mut stand_in = StandIn::start([refuse]).await;
    let (mut capacity, _permit) = capacity(&stand_in.url, patient()).await;
    capacity.set(Mode::Mechanic, 3, 1);
    assert!(matches!(capacity.report().await.outcome, Outcome::Failed(_)));
    capacity.set(Mode::Mechanic, 5, 2);
    capacity.set(Mode::Mechanic, 7, 3);
    assert_eq!(capacity.report().await.outcome, Outcome::Recovered);
    let report = capacity.report().await;
    assert_eq!((report.target, report.ticket, report.outcome), (7, 3, Outcome::Set));
    assert_eq!(stand_in.registered().await, (MECHANIC.to_owned(), 3));
    assert_eq!(stand_in.registered().await, (MECHANIC.to_owned(), 7));
    capacity.stop().await;
    assert_eq!(stand_in.others(), 0, "the 5 was never sent");
}

#[tokio::test]
async fn calls_of_a_service_never_overlap_and_do_not_hold_the_other_up() {
    let release = std::sync::Arc::new(Notify::new());
    let mut stand_in = StandIn::start([Play::Hold(release.clone())]).await;
    let (mut capacity, _permit) = capacity(&stand_in.url, eager()).await;
    capacity.set(Mode::Mechanic, 1, 1);
    assert_eq!(stand_in.registered().await, (MECHANIC.to_owned(), 1));
    capacity.set(Mode::Mechanic, 2, 2);
    capacity.set(Mode::Genius, 3, 3);
    assert_eq!(capacity.report().await.ticket, 3, "the other service goes on");
    release.notify_one();
    assert_eq!(capacity.report().await.ticket, 1);
    assert_eq!(capacity.report().await.ticket, 2);
    assert_eq!(stand_in.registered().await, (GENIUS.to_owned(), 3));
    assert_eq!(stand_in.registered().await, (MECHANIC.to_owned(), 2));
    assert_eq!(stand_in.overlaps(), 0);
}

#[tokio::test]
async fn a_service_is_called_no_oftener_than_the_brake_allows() {
    let interval = Duration::from_millis(20);
    let mut stand_in = StandIn::start([]).await;
    let habits = Habits { burst: 2, interval, ..eager() };
    let (mut capacity, _permit) = capacity(&stand_in.url, habits).await;
    let began = Instant::now();
    for ticket in 0..8 {
        capacity.set(Mode::Mechanic, 1, ticket);
        assert_eq!(capacity.report().await.ticket, ticket);
    }
    // Two at once, and six that waited for an interval each: however slow the machine is, it was not sooner.
    assert!(began.elapsed() >= 6 * interval, "{:?}", began.elapsed());
    assert_eq!(stand_in.others(), 8);
}

#[tokio::test]
async fn what_stands_is_known_where_the_bounds_are_equal() {
    let mut stand_in = StandIn::start([targets(&[(GENIUS, 0, 3), (MECHANIC, 4, 4)]), targets(&[])]).await;
    let (capacity, _permit) = capacity(&stand_in.url, eager()).await;
    assert_eq!(capacity.found().await, Ok(PerMode { mechanic: Some(4), genius: None }));
    assert_eq!(capacity.standing(Mode::Mechanic), Some(4));
    let arrived = stand_in.arrived().await;
    assert_eq!(arrived.operation, "DescribeScalableTargets");
    assert_eq!(arrived.body["ResourceIds"], serde_json::json!([MECHANIC, GENIUS]));
    assert_eq!(capacity.found().await, Ok(PerMode::default()));
    assert_eq!(capacity.standing(Mode::Mechanic), None);
}

#[tokio::test]
async fn a_target_that_somebody_changed_is_reported_and_set_again() {
    let mut stand_in = StandIn::start([]).await;
    let (mut capacity, _permit) = capacity(&stand_in.url, eager()).await;
    capacity.set(Mode::Mechanic, 3, 1);
    capacity.set(Mode::Genius, 1, 2);
    for _ in 0..2 {
        assert_eq!(capacity.report().await.outcome, Outcome::Set);
        stand_in.registered().await;
    }
    let drifted = |found_min, found_max| Outcome::Drifted { found_min, found_max };
    let as_set = ((MECHANIC, 3, 3), (GENIUS, 1, 1));
    let cases = [
        (vec![as_set.0, as_set.1], None),
        (vec![(MECHANIC, 0, 10), as_set.1], Some((Mode::Mechanic, 1, drifted(Some(0), Some(10))))),
        (vec![as_set.0], Some((Mode::Genius, 2, drifted(None, None)))),
    ];
    for (found, expected) in cases {
        stand_in.then(targets(&found));
        capacity.check();
        let mut reports = Vec::new();
        while reports.iter().filter(|(_, _, outcome)| *outcome == Outcome::Set).count() < 2 {
            let report = capacity.report().await;
            reports.push((report.mode, report.ticket, report.outcome));
        }
        reports.retain(|(_, _, outcome)| *outcome != Outcome::Set);
        assert_eq!(reports, Vec::from_iter(expected));
        assert_eq!(stand_in.arrived().await.operation, "DescribeScalableTargets");
        let mut registered = [stand_in.registered().await, stand_in.registered().await];
        registered.sort();
        let both = [(GENIUS.to_owned(), 1), (MECHANIC.to_owned(), 3)];
        assert_eq!(registered, both, "a count that was changed in ECS alone does not show");
    }
    assert_eq!(capacity.standing(Mode::Genius), Some(1));
}

#[tokio::test]
async fn stopping_waits_for_the_call_under_way_and_makes_no_other() {
    let release = std::sync::Arc::new(Notify::new());
    let mut stand_in = StandIn::start([Play::Hold(release.clone())]).await;
    let (capacity, _permit) = capacity(&stand_in.url, eager()).await;
    capacity.set(Mode::Mechanic, 3, 1);
    stand_in.registered().await;
    capacity.set(Mode::Mechanic, 9, 2);
    let stopping = tokio::spawn(capacity.stop());
    tokio::task::yield_now().await;
    release.notify_one();
    let reports = stopping.await.unwrap();
    assert_eq!(reports.len(), 1);
    assert_eq!((reports[0].ticket, &reports[0].outcome), (1, &Outcome::Set));
    assert_eq!(stand_in.others(), 0);
}

#[tokio::test]
async fn after_a_call_in_doubt_what_stands_is_unknown() {
    let stand_in =
        StandIn::start([Play::Ok, Play::Refuse(500, "InternalServiceException", "try later")]).await;
    let (mut capacity, _permit) = capacity(&stand_in.url, patient()).await;
    capacity.set(Mode::Mechanic, 3, 1);
    capacity.report().await;
    assert_eq!(capacity.standing(Mode::Mechanic), Some(3));
    capacity.set(Mode::Mechanic, 4, 2);
    let Outcome::Failed(error) = capacity.report().await.outcome else { panic!("it failed") };
    assert_eq!((error.kind, error.in_doubt), (Kind::Server, true));
    assert_eq!(capacity.standing(Mode::Mechanic), None);
}
