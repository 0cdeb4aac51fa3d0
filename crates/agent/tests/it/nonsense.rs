//! Models that do not do what they should.

use agent::{Conclusion, Stop, Turn};
use domain::{ExitReason, Failure, Task};
use serde_json::json;

use crate::books::Books;
use crate::folder::Folder;
use crate::script::{Says, Script, bash, calls, edit, finish};
use crate::whole::FILES;
use crate::{brief, work};

async fn played(answers: Vec<Says>) -> (Conclusion, Vec<String>, Script) {
    let (model, books) = (Script::new(answers), Books::new());
    let end = work(brief(Task::BugFix), &model, &books, &Folder::new(&FILES, None)).await;
    (end, books.outputs(), model)
}

fn silence(stop: Stop) -> Says {
    Says { calls: vec![], stop }
}

#[tokio::test]
async fn wrong_calls_are_answered_with_what_is_wrong() {
    let wrong = [
        ("launch\0", json!({})),
        ("bash", json!("ls")),
        ("bash", json!({ "cmd": "ls" })),
        ("edit", json!({ "path": "../x", "old": "", "new": "" })),
        edit("none.sh", "a", "b"),
        edit("total.sh", "", "b"),
        ("read", json!({ "path": "total.sh" })),
        ("finish", json!({ "summary": " " })),
    ];
    let (end, outputs, _) = played(vec![calls(&wrong), calls(&[finish("gave up")])]).await;
    let expected = [
        "there is no tool \"launch\u{FFFD}\": call one of bash, edit, finish",
        "bash: the arguments must be a JSON object, not a string",
        "bash: the argument `command` is missing: give a string",
        "edit: ../x leads out of the repository: give a path relative to its root, without `..`",
        "edit: there is no file none.sh: an empty `old` creates it",
        "edit: total.sh exists already: give the text to replace as `old`\n\n[note] Several edits failed in a row. \
         Read the place again before the next one, and copy it exactly.",
        "there is no tool \"read\": call one of bash, edit, finish",
        "finish: the summary is empty: say what you did and found",
        "done",
    ];
    assert_eq!(outputs, expected);
    assert_eq!((end.exit_reason, end.diff), (ExitReason::Finished, None));
}

#[tokio::test]
async fn three_answers_without_a_call_end_the_job() {
    let (end, _, model) = played(vec![silence(Stop::EndTurn)]).await;
    assert_eq!(
        (end.exit_reason, end.failure, end.steps),
        (ExitReason::ModelError, Some(Failure::ModelGaveUp), 3)
    );
    assert!(end.error.unwrap().contains("called no tool"));
    let Some(Turn::User(nudge)) = model.asked().pop().unwrap().pop() else { panic!("a nudge comes last") };
    assert!(nudge.contains("called no tool"), "{nudge}");
}

#[tokio::test]
async fn silence_is_forgiven_when_it_ends() {
    let quiet = || silence(Stop::MaxOutput);
    let (end, ..) =
        played(vec![quiet(), quiet(), calls(&[bash("true")]), quiet(), quiet(), calls(&[finish("x")])]).await;
    assert_eq!((end.exit_reason, end.steps), (ExitReason::Finished, 6));
}

#[tokio::test]
async fn a_call_in_which_the_output_ran_out_is_not_carried_out() {
    let cut = Says { calls: vec![bash("echo 1 > one"), bash("echo 2 > tw")], stop: Stop::MaxOutput };
    let (end, outputs, _) = played(vec![cut, calls(&[finish("x")])]).await;
    assert!(outputs[0].starts_with("not carried out: the answer was cut off at its bound of 4000 tokens"));
    assert!(end.diff.is_some_and(|diff| diff.contains("one") && !diff.contains("tw")));
}

#[tokio::test]
async fn a_refusal_and_a_full_context_end_the_job_in_words() {
    for (stop, word) in [(Stop::Refusal, "declined"), (Stop::ContextFull, "too long")] {
        let (end, ..) = played(vec![silence(stop)]).await;
        assert_eq!(
            (end.exit_reason, end.failure, end.steps),
            (ExitReason::ModelError, Some(Failure::ModelGaveUp), 1)
        );
        assert!(end.error.unwrap().contains(word));
    }
}

#[tokio::test]
async fn the_same_failing_call_is_remarked_upon_and_then_ends_the_job() {
    let (end, outputs, _) = played(vec![calls(&[bash("echo $$; exit 3")])]).await;
    assert_eq!((end.exit_reason, outputs.len()), (ExitReason::ModelError, 6));
    let remarked: Vec<_> = outputs.iter().map(|output| output.contains("Do something else")).collect();
    assert_eq!(remarked, [false, false, true, true, true, true]);
    assert!(end.error.unwrap().contains("repeated the same calls"));
}

#[tokio::test]
async fn calls_in_turn_and_edits_that_keep_failing_end_the_job_too() {
    let turns =
        (0..40).map(|n| calls(&[bash(if n % 2 == 0 { "cat total.sh" } else { "sh test.sh" })])).collect();
    let (end, outputs, _) = played(turns).await;
    assert_eq!((end.exit_reason, outputs.len()), (ExitReason::ModelError, 12));
    assert!(outputs.iter().any(|output| output.contains("The same calls came several times in turn")));

    let edits = (0..18).map(|n| match n % 2 {
        0 => calls(&[("edit", json!({ "path": "total.sh", "old": format!("nowhere {n}"), "new": "" }))]),
        _ => calls(&[bash(&format!("cat total.sh; echo {n}"))]),
    });
    let (end, outputs, _) = played(edits.collect()).await;
    assert_eq!((end.exit_reason, outputs.len()), (ExitReason::ModelError, 11));
    assert!(outputs.iter().filter(|output| output.contains("Several edits failed")).count() == 4);
}

#[tokio::test]
async fn a_megabyte_of_arguments_is_an_answer_like_any_other() {
    let large = "x".repeat(1_000_000);
    let answers = vec![
        calls(&[("bash", json!({ "command": format!("echo {large}") })), ("launch", json!({ "at": large }))]),
        calls(&[finish("x")]),
    ];
    let (end, outputs, model) = played(answers).await;
    assert!(
        outputs[0].starts_with("bash: the command has 1000005 bytes; at most 100000 are taken"),
        "{:.200}",
        outputs[0]
    );
    assert!(outputs.iter().all(|output| output.len() < 20_000));
    assert_eq!(
        (end.exit_reason, model.asked().len()),
        (ExitReason::Finished, 2),
        "what it cost is known by now"
    );
}
