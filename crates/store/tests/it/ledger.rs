use domain::{CapsOverride, Mode, Money, Usage};
use store::{Basis, LEASE, Settlement, StoreError};

use crate::{claimed, roles, worker};

fn reported(cost: i64) -> Settlement<'static> {
    let usage =
        Usage { uncached: 1, cache_read: 2, cache_write_5m: 3, cache_write_1h: 4, output: 5, reasoning: 1 };
    Settlement {
        basis: Basis::Reported,
        model: "the-one-that-answered",
        cost: Money(cost),
        usage,
        request_id: Some("req_1"),
        raw_usage: None,
    }
}

#[tokio::test]
async fn a_call_counts_at_its_worst_case_until_it_is_settled() {
    let roles = roles().await;
    let held = claimed(&roles.api, &roles.worker, worker()).await.claim;
    roles.worker.reserve(&held, 1, "the-one-that-was-asked", Money(900)).await.unwrap();
    let open = roles.api.job(held.job).await.unwrap();
    assert_eq!((open.cost, open.steps), (Money(900), 0));

    roles.worker.settle(&held, 1, &reported(400)).await.unwrap();
    let settled = roles.api.job(held.job).await.unwrap();
    assert_eq!((settled.cost, settled.steps, settled.usage), (Money(400), 1, reported(400).usage));
    let calls = roles.api.calls(held.job).await.unwrap();
    assert_eq!((calls.len(), calls[0].model.as_str()), (1, "the-one-that-answered"));
}

#[tokio::test]
async fn the_same_call_is_never_paid_twice() {
    let roles = roles().await;
    let held = claimed(&roles.api, &roles.worker, worker()).await.claim;
    for _ in 0..3 {
        roles.worker.reserve(&held, 1, "m", Money(900)).await.unwrap();
    }
    for _ in 0..3 {
        roles.worker.settle(&held, 1, &reported(400)).await.unwrap();
    }
    assert_eq!(roles.api.job(held.job).await.unwrap().cost, Money(400));
    assert!(roles.worker.settle(&held, 2, &reported(1)).await.is_err(), "it was never reserved");
}

#[tokio::test]
async fn a_lost_answer_costs_its_reservation_and_an_unbilled_one_nothing() {
    let roles = roles().await;
    let held = claimed(&roles.api, &roles.worker, worker()).await.claim;
    for (call, basis) in [(1, Basis::WorstCase), (2, Basis::Unbilled)] {
        roles.worker.reserve(&held, call, "m", Money(900)).await.unwrap();
        roles
            .worker
            .settle(&held, call, &Settlement { basis, usage: Usage::default(), ..reported(123) })
            .await
            .unwrap();
    }
    assert_eq!(roles.api.job(held.job).await.unwrap().cost, Money(900));
}

#[tokio::test]
async fn a_cost_cap_is_held_where_the_reservation_is_made() {
    let roles = roles().await;
    let mut job = testkit::job();
    job.caps = CapsOverride { cost_cap_micros: Some(1_000), ..CapsOverride::default() };
    roles.api.submit(&job).await.unwrap();
    let held = roles.worker.claim(worker(), Mode::Mechanic, LEASE).await.unwrap().unwrap().claim;
    roles.worker.reserve(&held, 1, "m", Money(700)).await.unwrap();
    let refused = roles.worker.reserve(&held, 2, "m", Money(301)).await;
    assert!(matches!(refused, Err(StoreError::CostCap(_))), "{refused:?}");
    roles.worker.settle(&held, 1, &reported(100)).await.unwrap();
    roles.worker.reserve(&held, 2, "m", Money(900)).await.unwrap();
}
