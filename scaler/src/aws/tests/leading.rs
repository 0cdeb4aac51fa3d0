//! Who does not lead changes nothing.

use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, future};
use domain::Mode;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::stand_in::{Play, StandIn};
use super::{HOUR, aws, eager, patience, patient, settings};
use aws_client::Aws;

use crate::aws::{Capacity, Names, Outcome};

#[tokio::test]
async fn without_a_permit_a_target_waits_and_only_the_newest_is_sent() {
    let mut stand_in = StandIn::start([]).await;
    let permit = watch::Sender::new(None);
    let mut capacity =
        Capacity::start(&aws(&stand_in.url).await, Names::default(), eager(), permit.subscribe());
    capacity.set(Mode::Mechanic, 3, 1);
    assert!(
        capacity.found().await.is_err(),
        "the stand-in lists no targets; what counts is that it was asked"
    );
    assert_eq!(stand_in.arrived().await.operation, "DescribeScalableTargets");
    assert_eq!(stand_in.others(), 0);
    // Too short for a call.
    permit.send_replace(Some(Instant::now() + patience().operation / 2));
    capacity.set(Mode::Mechanic, 4, 2);
    _ = capacity.found().await;
    assert_eq!(stand_in.arrived().await.operation, "DescribeScalableTargets");
    permit.send_replace(Some(Instant::now() + HOUR));
    let report = capacity.report().await;
    assert_eq!((report.ticket, report.outcome), (2, Outcome::Set));
    assert_eq!(stand_in.registered().await.1, 4);
    assert_eq!(stand_in.others(), 0);
}

/// Gives credentials when it is told to, and says when it is asked.
#[derive(Clone, Debug, Default)]
struct Slow {
    asked: Arc<Notify>,
    give: Arc<Notify>,
}

impl ProvideCredentials for Slow {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.asked.notify_one();
            self.give.notified().await;
            Ok(Credentials::new("AKIDTEST", "test", None, None, "test"))
        })
    }
}

#[tokio::test]
async fn a_permit_that_ends_between_the_check_and_the_sending_keeps_the_request_back() {
    let mut stand_in = StandIn::start([]).await;
    let slow = Slow::default();
    let long = aws_client::Patience { credentials: HOUR, operation: HOUR / 2, ..patience() };
    let aws = Aws::load_with(settings(&stand_in.url).credentials_provider(slow.clone()), long).await.unwrap();
    let permit = watch::Sender::new(Some(Instant::now() + HOUR));
    let mut capacity = Capacity::start(&aws, Names::default(), eager(), permit.subscribe());
    capacity.set(Mode::Mechanic, 3, 1);
    slow.asked.notified().await;
    // As for a process that is stopped here and goes on too late: the permit is still given, and over.
    permit.send_replace(Some(Instant::now()));
    slow.give.notify_one();
    // Another service's call would be kept back too, so this one is the sign that the first is through.
    capacity.found().await.unwrap_err();
    assert_eq!(stand_in.arrived().await.operation, "DescribeScalableTargets");
    assert_eq!(stand_in.others(), 0);

    permit.send_replace(Some(Instant::now() + HOUR));
    let report = capacity.report().await;
    assert_eq!((report.ticket, report.outcome), (1, Outcome::Set));
    assert_eq!(stand_in.registered().await.1, 3);
}

#[tokio::test]
async fn what_was_wanted_under_a_leadership_that_ended_is_never_sent() {
    let mut stand_in = StandIn::start([Play::Ok, Play::Refuse(400, "ThrottlingException", "")]).await;
    let permit = watch::Sender::new(Some(Instant::now() + HOUR));
    let mut capacity =
        Capacity::start(&aws(&stand_in.url).await, Names::default(), patient(), permit.subscribe());
    capacity.set(Mode::Mechanic, 3, 1);
    capacity.report().await;
    capacity.set(Mode::Mechanic, 9, 2);
    assert!(matches!(capacity.report().await.outcome, Outcome::Failed(_)));
    assert_eq!(capacity.standing(Mode::Mechanic), Some(3));

    permit.send_replace(None);
    while capacity.standing(Mode::Mechanic).is_some() {
        tokio::task::yield_now().await;
    }
    permit.send_replace(Some(Instant::now() + HOUR));
    capacity.check();
    capacity.set(Mode::Genius, 1, 3);
    assert_eq!(capacity.report().await.outcome, Outcome::Set);
    assert_eq!(stand_in.registered().await.1, 3);
    assert_eq!(stand_in.registered().await.1, 9);
    assert_eq!(stand_in.registered().await, ("service/ai-coding-team/genius-worker".to_owned(), 1));
    capacity.stop().await;
    assert_eq!(stand_in.others(), 0, "neither the 9 again, nor a look for drift");
}
