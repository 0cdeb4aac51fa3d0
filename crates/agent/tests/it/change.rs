//! One model takes over from another.

use std::time::Duration;

use agent::{ModelError, Resumed, Turn};
use domain::{Event, ExitReason, Failure, Money, Task};

use crate::books::Books;
use crate::folder::Folder;
use crate::script::{Script, bash, calls, finish};
use crate::slow::Slow;
use crate::whole::FILES;
use crate::{brief, work};

fn workspace() -> Slow {
    Slow { takes: Duration::ZERO, obeys: true, diff: Ok(String::new()) }
}

fn changes(books: &Books) -> Vec<(String, String, String)> {
    let change = |event| match event {
        Event::ModelChanged { from, to, why } => Some((from, to, why)),
        _ => None,
    };
    books.events().into_iter().filter_map(change).collect()
}

/// "a", which answers once and then fails, with "b" behind it, which finishes.
fn pair() -> Script {
    let b = Script::new(vec![calls(&[bash("true")]), calls(&[finish("x")])]).called("b");
    Script::new(vec![calls(&[bash("true")])]).called("a").then(b)
}

#[tokio::test]
async fn what_another_provider_may_mend_lets_the_next_one_take_over_at_once() {
    let message = || "no".to_owned();
    let errors = [
        ModelError::Refused { message: message() },
        ModelError::OutOfMoney { message: message() },
        ModelError::Unavailable { message: message(), billed: false },
    ];
    for error in errors {
        let (model, books) = (pair(), Books::new());
        let told = error.to_string();
        model.fail(error);
        let end = work(brief(Task::BugFix), &model, &books, &Folder::new(&FILES, None)).await;
        assert_eq!((end.exit_reason, end.steps), (ExitReason::Finished, 2), "{told}");
        assert_eq!(changes(&books), [("a".into(), "b".into(), told)]);
        let entries: Vec<_> = books
            .ledger()
            .into_iter()
            .map(|(key, entry)| (key.1, entry.closed == Some(Money::ZERO)))
            .collect();
        assert_eq!(entries, [(1, true), (2, false), (3, false)], "each call has a reservation of its own");
        assert_eq!((model.asked().len(), model.successor().asked().len()), (1, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn one_lost_answer_is_asked_for_again_and_a_second_one_of_another() {
    let (model, books) = (pair(), Books::new());
    let lost = || ModelError::Unavailable { message: "HTTP 504".into(), billed: true };
    (0..2).for_each(|_| model.fail(lost()));
    let end = work(brief(Task::BugFix), &model, &books, &workspace()).await;
    assert_eq!((end.exit_reason, end.steps), (ExitReason::Finished, 4), "lost calls are calls");
    assert_eq!((model.asked().len(), model.successor().asked().len()), (2, 2));
    assert_eq!(changes(&books).len(), 1);
    let worst: Vec<_> = books.ledger().values().map(|entry| entry.closed == Some(entry.reserved)).collect();
    assert_eq!(worst, [true, true, false, false], "what was lost stays at its worst case");
}

#[tokio::test(start_paused = true)]
async fn a_model_that_stalls_is_left_while_there_is_time() {
    let (model, books) = (pair(), Books::new());
    model.fail(ModelError::TimedOut { waited: Duration::from_secs(1), billed: true });
    let end = work(brief(Task::BugFix), &model, &books, &workspace()).await;
    assert_eq!((end.exit_reason, model.asked().len()), (ExitReason::Finished, 1));
}

#[tokio::test]
async fn the_last_one_to_fail_says_why() {
    let (model, books) = (pair(), Books::new());
    model.fail(ModelError::Refused { message: "a".into() });
    model.successor().fail(ModelError::OutOfMoney { message: "b".into() });
    let end = work(brief(Task::BugFix), &model, &books, &Folder::new(&FILES, None)).await;
    assert_eq!((end.exit_reason, end.failure), (ExitReason::ModelError, Some(Failure::QuotaSpent)));
    assert_eq!((end.cost, end.steps), (Money::ZERO, 0));
}

#[tokio::test]
async fn the_conversation_goes_on_and_names_who_said_what() {
    let b = Script::new(vec![calls(&[bash("true")]), calls(&[finish("x")])]).called("b");
    let model = Script::new(vec![calls(&[bash("true")])]).called("a").then(b);
    let books = Books::new();
    let mut first = brief(Task::BugFix);
    first.caps.steps = 1;
    work(first, &model, &books, &Folder::new(&FILES, None)).await;
    model.fail(ModelError::Refused { message: "no".into() });
    let mut second = brief(Task::BugFix);
    second.resumed = books.next_attempt(None);
    assert_eq!(second.resumed.model(), Some("a"));
    work(second, &model, &books, &Folder::new(&FILES, None)).await;
    let shown = model.successor().asked().pop().unwrap();
    assert!(matches!(&shown[1], Turn::Assistant { model, .. } if model == "a"));
    assert_eq!(books.next_attempt(None).model(), Some("b"));
}

#[tokio::test]
async fn a_retired_model_is_told_of_once() {
    let model =
        Script::new(vec![calls(&[bash("true")]), calls(&[finish("x")])]).called("new").in_place_of("old");
    let books = Books::new();
    let mut first = brief(Task::BugFix);
    first.caps.steps = 1;
    work(first, &model, &books, &Folder::new(&FILES, None)).await;
    let mut second = brief(Task::BugFix);
    second.resumed = books.next_attempt(None);
    let end = work(second, &model, &books, &Folder::new(&FILES, None)).await;
    assert_eq!(end.exit_reason, ExitReason::Finished);
    assert_eq!(changes(&books), [("old".into(), "new".into(), "old is retired".into())]);
}

#[tokio::test]
async fn a_worker_that_asks_another_model_than_the_one_before_says_so() {
    let books = Books::new();
    let (a, b) = (
        Script::new(vec![calls(&[bash("true")])]).called("a"),
        Script::new(vec![calls(&[finish("x")])]).called("b"),
    );
    for (model, steps) in [(&a, 1), (&b, 3)] {
        let mut job = brief(Task::BugFix);
        job.caps.steps = steps;
        job.resumed = if steps == 1 { Resumed::default() } else { books.next_attempt(None) };
        work(job, model, &books, &Folder::new(&FILES, None)).await;
    }
    let told = changes(&books);
    assert_eq!((told.len(), told[0].0.as_str(), told[0].1.as_str()), (1, "a", "b"));
}
