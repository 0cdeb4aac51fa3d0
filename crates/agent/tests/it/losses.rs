//! Calls without an answer: what they count, and whether the job goes on.

use std::time::Duration;

use agent::{Halt, ModelError, Monotonic, Ports, run};
use domain::{Event, ExitReason, Failure, Money, Task};
use tokio::sync::watch;

use crate::books::Books;
use crate::caps::spends;
use crate::folder::Folder;
use crate::script::{Script, calls, finish};
use crate::slow::{Slow, Spender};
use crate::whole::FILES;
use crate::{brief, work};

fn lost() -> ModelError {
    ModelError::Unavailable { message: "HTTP 504".to_owned(), billed: true }
}

fn workspace() -> Slow {
    Slow { takes: Duration::ZERO, obeys: true, diff: Ok(String::new()) }
}

/// How the calls of the first attempt are closed: at their worst case or not.
fn at_worst_case(books: &Books) -> Vec<bool> {
    books.ledger().values().map(|entry| entry.closed == Some(entry.reserved)).collect()
}

#[tokio::test]
async fn a_call_that_bills_nothing_ends_the_run_and_counts_nothing() {
    let message = || "overloaded".to_owned();
    let cases = [
        (ModelError::Refused { message: message() }, Failure::ProviderRefused),
        (ModelError::OutOfMoney { message: message() }, Failure::QuotaSpent),
        (ModelError::Unavailable { message: message(), billed: false }, Failure::ProviderOverloaded),
        (ModelError::TimedOut { waited: Duration::from_secs(1), billed: false }, Failure::ProviderOverloaded),
    ];
    for (error, failure) in cases {
        let (model, books) = (Script::new(vec![]), Books::new());
        let told = error.to_string();
        model.fail(error);
        let end = work(brief(Task::BugFix), &model, &books, &Folder::new(&FILES, None)).await;
        assert_eq!((end.exit_reason, end.failure), (ExitReason::ModelError, Some(failure)));
        assert_eq!((end.error, end.cost, end.steps), (Some(told), Money::ZERO, 0));
        assert_eq!(books.ledger()[&(1, 1)].closed, Some(Money::ZERO));
    }
}

#[tokio::test(start_paused = true)]
async fn after_two_lost_answers_the_job_goes_on_and_both_count_at_their_worst_case() {
    let malformed = || ModelError::Malformed { message: "it is not JSON".to_owned() };
    let late = || ModelError::TimedOut { waited: Duration::from_secs(1), billed: true };
    for losses in [[lost(), lost()], [malformed(), late()]] {
        let (model, books) = (Script::new(vec![calls(&[finish("x")])]), Books::new());
        losses.into_iter().for_each(|error| model.fail(error));
        let end = work(brief(Task::BugFix), &model, &books, &workspace()).await;
        assert_eq!((end.exit_reason, end.error, end.steps), (ExitReason::Finished, None, 3));
        assert_eq!(books.ledger().into_keys().collect::<Vec<_>>(), [(1, 1), (1, 2), (1, 3)]);
        assert_eq!(at_worst_case(&books), [true, true, false]);
        assert_eq!(books.ledger().values().filter_map(|entry| entry.closed).sum::<Money>(), end.cost);
        assert!(
            matches!(books.events()[1], Event::ModelReplied { step: 3, .. }),
            "the answer is the third call's"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn three_lost_answers_in_a_row_end_the_run() {
    let (model, books) = (Script::new(vec![]), Books::new());
    (0..3).for_each(|_| model.fail(lost()));
    let end = work(brief(Task::BugFix), &model, &books, &workspace()).await;
    assert_eq!(
        (end.exit_reason, end.failure, end.steps),
        (ExitReason::ModelError, Some(Failure::AnswerLost), 3)
    );
    assert_eq!(end.error, Some(lost().to_string()));
    assert_eq!(at_worst_case(&books), [true; 3]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_forgives_the_losses_before_it() {
    let (model, books) = (Spender { loses: 2, ..spends(10, 10, Duration::ZERO, true) }, Books::new());
    let mut job = brief(Task::BugFix);
    (job.caps.steps, job.caps.tokens) = (10, 1_000_000);
    let end = work(job, &model, &books, &workspace()).await;
    assert_eq!((end.exit_reason, end.steps), (ExitReason::StepCap, 10), "lost calls are calls");
    assert_eq!(at_worst_case(&books), [false, true].repeat(5));
}

#[tokio::test(start_paused = true)]
async fn a_loss_that_leaves_no_room_for_another_call_ends_at_the_cap() {
    let (model, books) = (Script::new(vec![]), Books::new());
    model.fail(lost());
    let mut job = brief(Task::BugFix);
    job.caps.tokens = 4_000;
    let end = work(job, &model, &books, &workspace()).await;
    assert_eq!((end.exit_reason, model.asked().len()), (ExitReason::TokenCap, 1));
    assert_eq!(at_worst_case(&books), [true]);
}

#[tokio::test(start_paused = true)]
async fn the_pause_after_a_loss_ends_with_the_time_and_with_a_halt() {
    let (model, books) = (Script::new(vec![]), Books::new());
    model.fail(lost());
    let mut job = brief(Task::BugFix);
    job.caps.time = job.delivery_reserve + Duration::from_millis(400);
    let end = work(job, &model, &books, &workspace()).await;
    assert_eq!((end.exit_reason, model.asked().len()), (ExitReason::TimeLimit, 1));

    let (model, books, workspace) = (Script::new(vec![]), Books::new(), workspace());
    model.fail(lost());
    let (sender, halt) = watch::channel(None);
    let ports = Ports { model: &model, journal: &books, workspace: &workspace, clock: &Monotonic, halt };
    let stop = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        sender.send(Some(Halt::Cancelled)).unwrap();
    };
    let (end, ()) = tokio::join!(run(brief(Task::BugFix), ports), stop);
    assert_eq!((end.exit_reason, model.asked().len()), (ExitReason::Cancelled, 1));
    assert_eq!(at_worst_case(&books), [true]);
}
