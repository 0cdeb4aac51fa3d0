//! Wherever a worker dies, the next one ends with the same conversation and the same change, and pays for no step again.

use agent::{Conclusion, Stop, Turn};
use domain::{ExitReason, Task};

use crate::books::{Books, Death};
use crate::folder::Folder;
use crate::script::{Says, Script, answers_in, bash, calls, edit, finish};
use crate::whole::FILES;
use crate::{brief, work};

/// Commands that show it in the result when they count twice, a failing call, an answer without any, a cut-off one.
fn script() -> Script {
    Script::new(vec![
        calls(&[bash("sh test.sh"), bash("echo a >> log")]),
        calls(&[edit("total.sh", "nowhere", "x"), edit("total.sh", "-", "+"), bash("echo b >> log")]),
        Says { calls: vec![], stop: Stop::EndTurn },
        Says { calls: vec![bash("echo c >> log"), bash("echo d >> l")], stop: Stop::MaxOutput },
        calls(&[finish("repaired"), bash("cat log; echo e >> log")]),
    ])
}

/// Attempts, each in a fresh checkout with the last checkpoint, until one is not killed.
async fn attempts(model: &Script, books: &Books, deaths: &[Death]) -> Conclusion {
    let mut deaths = deaths.iter();
    loop {
        let resumed = books.next_attempt(deaths.next().copied());
        let folder = Folder::new(&FILES, resumed.patch());
        let mut brief = brief(Task::BugFix);
        brief.resumed = resumed;
        let end = work(brief, model, books, &folder).await;
        if end.exit_reason != ExitReason::LostWorker {
            return end;
        }
    }
}

/// What the job came to, without what may differ: when.
fn result(model: &Script, end: &Conclusion) -> (Vec<Turn>, Option<String>, Option<String>, u32) {
    (model.asked().pop().unwrap(), end.diff.clone(), end.summary.clone(), end.steps)
}

/// How often each step was asked for; 5 of them.
fn asked(model: &Script) -> Vec<usize> {
    let asked = model.asked();
    (0..5).map(|step| asked.iter().filter(|turns| answers_in(turns) == step).count()).collect()
}

#[tokio::test]
async fn a_death_at_any_operation_changes_nothing_but_the_time() {
    let model = script();
    let books = Books::new();
    let end = attempts(&model, &books, &[]).await;
    assert_eq!(end.exit_reason, ExitReason::Finished);
    let (expected, operations) = (result(&model, &end), books.operations());
    assert!(operations > 15, "{operations}");

    for death in (1..=operations).flat_map(|at| [Death::Before(at), Death::After(at)]) {
        let model = script();
        let books = Books::new();
        let end = attempts(&model, &books, &[death]).await;
        assert_eq!(result(&model, &end), expected, "{death:?}");

        // An answer that reached nobody's journal is the only one that is asked for again, and its reservation stays.
        let ledger = books.ledger();
        let open: Vec<u32> =
            ledger.iter().filter(|(_, entry)| entry.closed.is_none()).map(|(key, _)| key.1).collect();
        for (step, asked) in (1..).zip(asked(&model)) {
            let settled =
                ledger.iter().filter(|(key, entry)| key.1 == step && entry.closed.is_some()).count();
            assert_eq!(settled, 1, "{death:?}: step {step} is paid once");
            assert!(
                asked == 1 || (asked == 2 && open.contains(&step)),
                "{death:?}: step {step} asked {asked} times"
            );
        }
        assert_eq!(ledger.values().filter_map(|entry| entry.closed).sum::<domain::Money>(), end.cost);
    }
}

#[tokio::test]
async fn a_job_whose_workers_all_die_young_still_ends_the_same() {
    let model = script();
    let end = attempts(&model, &Books::new(), &[]).await;
    let expected = result(&model, &end);
    for life in 2..6 {
        let model = script();
        let end = attempts(&model, &Books::new(), &[Death::After(life); 30]).await;
        assert_eq!((result(&model, &end), asked(&model)), (expected.clone(), vec![1; 5]), "{life}");
    }
}

#[tokio::test]
async fn after_finish_nothing_is_asked_again() {
    let model = script();
    let books = Books::new();
    let first = attempts(&model, &books, &[]).await;
    let second = attempts(&model, &books, &[]).await;
    assert_eq!(first, second);
    assert_eq!(asked(&model), [1; 5]);
}
