use domain::{CapsOverride, Mode, Money, Usage};
use store::{Basis, Settlement, StoreError};

use crate::{claimed, hired, journal_of, roles, soon};

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
    let held = claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    let journal = journal_of(&roles.worker, &held);
    let held = held.claim;
    journal.reserve(1, "the-one-that-was-asked", (Money(900), 70), soon()).await.unwrap();
    let open = roles.api.job(held.job).await.unwrap();
    assert_eq!((open.cost, open.steps), (Money(900), 0));

    journal.settle(1, &reported(400), &[], soon()).await.unwrap();
    let settled = roles.api.job(held.job).await.unwrap();
    assert_eq!((settled.cost, settled.steps, settled.usage), (Money(400), 1, reported(400).usage));
    let calls = roles.api.calls(held.job).await.unwrap();
    assert_eq!((calls.len(), calls[0].model.as_str()), (1, "the-one-that-answered"));
}

#[tokio::test]
async fn the_same_call_is_never_paid_twice() {
    let roles = roles().await;
    let held = claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    let journal = journal_of(&roles.worker, &held);
    let held = held.claim;
    for _ in 0..3 {
        journal.reserve(1, "m", (Money(900), 70), soon()).await.unwrap();
    }
    for _ in 0..3 {
        journal.settle(1, &reported(400), &[], soon()).await.unwrap();
    }
    assert_eq!(roles.api.job(held.job).await.unwrap().cost, Money(400));
    assert!(journal.settle(2, &reported(1), &[], soon()).await.is_err(), "it was never reserved");
}

#[tokio::test]
async fn a_lost_answer_costs_its_reservation_and_an_unbilled_one_nothing() {
    let roles = roles().await;
    let held = claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    let journal = journal_of(&roles.worker, &held);
    let held = held.claim;
    for (call, basis) in [(1, Basis::WorstCase), (2, Basis::Unbilled)] {
        journal.reserve(call, "m", (Money(900), 70), soon()).await.unwrap();
        let settlement = Settlement { basis, usage: Usage::default(), ..reported(123) };
        journal.settle(call, &settlement, &[], soon()).await.unwrap();
    }
    assert_eq!(roles.api.job(held.job).await.unwrap().cost, Money(900));
}

#[tokio::test]
async fn a_cost_cap_is_held_where_the_reservation_is_made() {
    let roles = roles().await;
    let mut job = testkit::job();
    job.caps = CapsOverride { cost_cap_micros: Some(1_000), ..CapsOverride::default() };
    roles.api.submit(&job).await.unwrap();
    let held = roles.worker.claim(hired(&roles.worker).await, Mode::Mechanic).await.unwrap().unwrap();
    let journal = journal_of(&roles.worker, &held);
    journal.reserve(1, "m", (Money(700), 70), soon()).await.unwrap();
    let refused = journal.reserve(2, "m", (Money(301), 70), soon()).await;
    assert!(matches!(refused, Err(StoreError::CostCap(_))), "{refused:?}");
    journal.settle(1, &reported(100), &[], soon()).await.unwrap();
    journal.reserve(2, "m", (Money(900), 70), soon()).await.unwrap();
}

#[tokio::test]
async fn an_answer_is_paid_for_and_kept_in_one_transaction() {
    let roles = roles().await;
    let held = claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    let journal = journal_of(&roles.worker, &held);
    let answer = [domain::Event::Noted { message: "the answer".into() }];
    journal.reserve(1, "m", (Money(900), 70), soon()).await.unwrap();
    let unreserved = journal.settle(2, &reported(1), &answer, soon()).await;
    assert!(unreserved.is_err());
    journal.settle(1, &reported(400), &answer, soon()).await.unwrap();
    let events = roles.api.events(held.claim.job, held.seq, 10).await.unwrap();
    assert_eq!(events.into_iter().map(|record| record.event).collect::<Vec<_>>(), answer);
}

#[tokio::test]
async fn a_lost_call_counts_for_the_next_attempt_until_a_person_retries() {
    let roles = roles().await;
    let first = claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    journal_of(&roles.worker, &first).reserve(1, "m", (Money(900), 70), soon()).await.unwrap();
    roles.worker.release(&first.claim, "the worker died in the middle of the call").await.unwrap();
    let second = roles.worker.claim(hired(&roles.worker).await, Mode::Mechanic).await.unwrap().unwrap();
    assert_eq!((second.lost_calls, second.lost_tokens, second.lost_cost), (1, 70, Money(900)));
    roles.worker.fail_attempt(&second.claim, domain::ExitReason::ModelError, "no", None).await.unwrap();
    roles.api.retry(first.claim.job).await.unwrap();
    let third = roles.worker.claim(hired(&roles.worker).await, Mode::Mechanic).await.unwrap().unwrap();
    assert_eq!((third.lost_calls, third.lost_tokens, third.lost_cost), (0, 0, Money(0)));
}
