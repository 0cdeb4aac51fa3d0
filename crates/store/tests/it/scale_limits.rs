//! What a person says about a fleet's bounds counts before what the scaler was started with.

use std::time::Duration;

use domain::Mode;
use store::{FleetLimits, StoreError};

use crate::roles;

const OWN: FleetLimits = FleetLimits {
    min: Some(0),
    max: Some(10),
    floor: Some(2),
    cool_down: Some(Duration::from_secs(60)),
    jobs_per_worker: Some(1),
};

#[tokio::test]
async fn what_is_set_counts_until_it_is_cleared() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    scaler.announce_limits(Mode::Mechanic, &OWN).await.unwrap();
    let four = FleetLimits { max: Some(4), ..FleetLimits::default() };
    roles.api.set_limits(Mode::Mechanic, &four).await.unwrap();
    let in_force = roles.api.limits_in_force().await.unwrap();
    let mechanics = &in_force[0];
    assert_eq!(
        (mechanics.mode, mechanics.limits.max, mechanics.limits.floor),
        (Mode::Mechanic, Some(4), Some(2))
    );
    assert!(mechanics.limits_set == ["max"] && in_force[1].limits_set.is_empty());
    let seen = scaler.observe().await.unwrap();
    assert_eq!((seen.mechanic.limits.max, seen.mechanic.limits.min), (Some(4), Some(0)));
    assert!(roles.api.clear_limits(Mode::Mechanic).await.unwrap());
    assert!(!roles.api.clear_limits(Mode::Mechanic).await.unwrap());
    assert_eq!(scaler.observe().await.unwrap().mechanic.limits.max, Some(10));
}

#[tokio::test]
async fn what_cannot_hold_with_the_scalers_own_is_refused_and_leaves_what_was_set() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    scaler.announce_limits(Mode::Genius, &FleetLimits { max: Some(3), ..OWN }).await.unwrap();
    let error = roles
        .api
        .set_limits(Mode::Genius, &FleetLimits { min: Some(5), ..FleetLimits::default() })
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Invalid(_)), "{error:?}");
    assert!(error.to_string().contains("give a minimum that is not above the maximum"), "{error}");
    assert_eq!(roles.api.limits_in_force().await.unwrap()[1].limits.min, Some(0));
}

#[tokio::test]
async fn a_sleeping_scaler_is_rung_for_new_limits_and_for_a_resume() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    let (mut rung, mut heard) = (0, tokio::sync::mpsc::unbounded_channel());
    let config: tokio_postgres::Config = roles.database.url("codeteam_scaler").parse().unwrap();
    let (client, mut connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let sender = heard.0.clone();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            _ = sender.send(message);
        }
    });
    client.batch_execute("listen codeteam_scaler").await.unwrap();
    client.query("select * from codeteam.doze('scaler', gen_random_uuid())", &[]).await.unwrap();
    let one = FleetLimits { min: Some(1), ..FleetLimits::default() };
    roles.api.set_limits(Mode::Mechanic, &one).await.unwrap();
    roles.api.pause_scaling(Mode::Mechanic, "maintenance").await.unwrap();
    assert!(roles.api.limits_in_force().await.unwrap()[0].paused_at.is_some());
    assert!(roles.api.resume_scaling(Mode::Mechanic).await.unwrap());
    assert!(!roles.api.resume_scaling(Mode::Mechanic).await.unwrap());
    client.query("select 1", &[]).await.unwrap(); // what was sent before has come
    while heard.1.try_recv().is_ok() {
        rung += 1;
    }
    assert_eq!(rung, 2);
    let kinds = "select array_agg(kind order by id) from codeteam.fleet_events";
    let kinds: Vec<String> = admin.query_one(kinds, &[]).await.unwrap().get(0);
    assert_eq!(kinds, ["limits_changed", "scaling_paused", "scaling_resumed"]);
}

#[tokio::test]
async fn a_scaler_that_was_started_with_a_lower_maximum_since_has_the_last_word() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    scaler.announce_limits(Mode::Mechanic, &OWN).await.unwrap();
    let six = FleetLimits { min: Some(6), ..FleetLimits::default() };
    roles.api.set_limits(Mode::Mechanic, &six).await.unwrap();
    scaler
        .announce_limits(Mode::Mechanic, &FleetLimits { max: Some(1), floor: Some(1), ..OWN })
        .await
        .unwrap();
    let limits = scaler.observe().await.unwrap().mechanic.limits;
    assert_eq!((limits.min, limits.max, limits.floor), (Some(1), Some(1), Some(1)));
}

#[tokio::test]
async fn what_nobody_has_said_is_not_known() {
    let roles = roles().await;
    let three = FleetLimits { max: Some(3), ..FleetLimits::default() };
    roles.api.set_limits(Mode::Mechanic, &three).await.unwrap();
    assert_eq!(roles.api.limits_in_force().await.unwrap()[0].limits, three);
}
