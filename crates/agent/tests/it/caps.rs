//! No cap is ever passed, whatever the model spends and however long things take.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use agent::WorkspaceError;
use domain::{Caps, ExitReason, Failure, Money, Task};
use proptest::prelude::*;
use tokio::time::Instant;

use crate::books::Books;
use crate::script::{Script, bash, calls, finish};
use crate::slow::{Slow, Spender};
use crate::{brief, work};

fn caps() -> impl Strategy<Value = Caps> {
    let cost = proptest::option::of((1..300_000i64).prop_map(Money));
    (1..30u32, 1..60_000u64, (1_000..120_000u64).prop_map(Duration::from_millis), cost)
        .prop_map(|(steps, tokens, time, cost)| Caps { steps, tokens, time, cost })
}

fn spender() -> impl Strategy<Value = Spender> {
    (0..=100u64, 0..=100u64, 0..20_000u64, any::<bool>(), 0..4u64).prop_map(
        |(input, output, takes, obeys, loses)| Spender {
            loses,
            ..spends(input, output, Duration::from_millis(takes), obeys)
        },
    )
}

/// A model that spends these shares of what it may and loses no answer.
pub fn spends(input: u64, output: u64, takes: Duration, obeys: bool) -> Spender {
    Spender { input, output, takes, obeys, loses: 0, asked: AtomicU64::new(0), announced: AtomicU64::new(0) }
}

fn slow(takes: Duration, obeys: bool) -> Slow {
    Slow { takes, obeys, diff: Ok(String::new()) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn a_model_that_spends_all_it_may_passes_no_cap(
        caps in caps(), model in spender(), takes in 0..20_000u64, obeys: bool, reserve in 0..20_000u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let books = Books::new();
            let mut brief = brief(Task::BugFix);
            brief.caps = caps;
            brief.delivery_reserve = Duration::from_millis(reserve);
            let started = brief.started;
            let end = work(brief, &model, &books, &slow(Duration::from_millis(takes), obeys)).await;

            prop_assert!(end.steps <= caps.steps);
            prop_assert!(end.usage.full_rate() <= caps.tokens);
            // The runtime's timers have a resolution of one millisecond.
            let last = caps.time.saturating_sub(Duration::from_millis(reserve)) + Duration::from_millis(1);
            prop_assert!(started.elapsed() <= last, "{:?} of {:?}", started.elapsed(), last);
            let ledger = books.ledger();
            prop_assert!(ledger.values().all(|entry| entry.closed.is_some_and(|cost| cost <= entry.reserved)));
            let paid: Money = ledger.values().filter_map(|entry| entry.closed).sum();
            prop_assert_eq!(paid, end.cost);
            prop_assert!(caps.cost.is_none_or(|cap| paid <= cap));
            use ExitReason::{CostCap, StepCap, TimeLimit, TokenCap};
            let all_lost = model.loses == 1 && end.exit_reason == ExitReason::ModelError && end.steps == 3;
            prop_assert!(all_lost || [StepCap, TokenCap, CostCap, TimeLimit].contains(&end.exit_reason));
            prop_assert!(end.exit_reason != CostCap || caps.cost.is_some());
            prop_assert!(end.exit_reason != StepCap || end.steps == caps.steps);
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn each_cap_ends_a_job_with_its_own_reason() {
    let second = Duration::from_secs(1);
    let large = Caps { steps: 1_000, tokens: 10_000_000, time: second * 100_000, cost: None };
    let cases = [
        (Caps { steps: 3, ..large }, ExitReason::StepCap),
        (Caps { tokens: 9_000, ..large }, ExitReason::TokenCap),
        (Caps { cost: Some(Money(50_000)), ..large }, ExitReason::CostCap),
        (Caps { time: second * 20, ..large }, ExitReason::TimeLimit),
    ];
    for (caps, reason) in cases {
        for obeys in [true, false] {
            let mut brief = brief(Task::BugFix);
            (brief.caps, brief.started) = (caps, Instant::now());
            let model = spends(100, 100, second * 2, obeys);
            let end = work(brief, &model, &Books::new(), &slow(second, obeys)).await;
            assert_eq!((end.exit_reason, end.failure), (reason, None));
            assert!(end.steps > 1 && end.error.is_some_and(|error| error.contains("ask for less")));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_hangs_leaves_time_to_go_on() {
    let books = Books::new();
    let mut brief = brief(Task::BugFix);
    brief.caps.time = Duration::from_secs(60);
    let model = Script::new(vec![calls(&[bash("yes")]), calls(&[finish("x")])]);
    let end = work(brief, &model, &books, &slow(Duration::from_secs(3_600), true)).await;
    assert!(books.outputs()[0].starts_with("killed: it ran longer than the 19 s that it may take now"));
    assert_eq!(end.exit_reason, ExitReason::Finished);
}

#[tokio::test(start_paused = true)]
async fn a_workspace_that_cannot_be_kept_is_told_to_the_model_and_a_broken_one_ends_the_job() {
    let model = Script::new(vec![calls(&[bash("big")]), calls(&[finish("x")])]);
    let message = || "big.bin has 900 MB".to_owned();
    let mut workspace = slow(Duration::ZERO, true);

    workspace.diff = Err(WorkspaceError::Refused { message: message() });
    let books = Books::new();
    let end = work(brief(Task::BugFix), &model, &books, &workspace).await;
    assert!(
        books.outputs()[0]
            .ends_with("This change cannot be kept: big.bin has 900 MB. Undo what is too much.")
    );
    assert_eq!(end.exit_reason, ExitReason::Finished);

    workspace.diff = Err(WorkspaceError::Broken { message: message() });
    let end = work(brief(Task::BugFix), &model, &Books::new(), &workspace).await;
    assert_eq!((end.exit_reason, end.failure), (ExitReason::SandboxError, Some(Failure::WorkspaceFailed)));
    assert_eq!(end.error.as_deref(), Some("the workspace does not work: big.bin has 900 MB"));
}
