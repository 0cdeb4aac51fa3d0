//! A job from its brief to its patch.

use domain::{Event, ExitReason, Money, Task};

use crate::books::Books;
use crate::folder::Folder;
use crate::script::{Script, bash, calls, edit, finish};
use crate::{brief, work};

pub const FILES: [(&str, &str); 2] = [
    ("total.sh", "echo $(($1 - $2))\n"),
    ("test.sh", "[ \"$(sh total.sh 2 3)\" = 5 ] || { echo not 5; exit 1; }\n"),
];

#[tokio::test]
async fn a_bug_is_looked_at_repaired_tested_and_handed_in() {
    let folder = Folder::new(&FILES, None);
    let books = Books::new();
    let model = Script::new(vec![
        calls(&[bash("cat total.sh"), bash("sh test.sh")]),
        calls(&[edit("total.sh", "$1 - $2", "$1 + $2"), bash("sh test.sh")]),
        calls(&[finish("minus was meant to be plus")]),
    ]);
    let end = work(brief(Task::BugFix), &model, &books, &folder).await;

    assert_eq!((end.exit_reason, end.error.as_deref(), end.steps), (ExitReason::Finished, None, 3));
    assert_eq!(end.summary.as_deref(), Some("minus was meant to be plus"));
    assert!(end.diff.unwrap().contains("+echo $(($1 + $2))"));
    assert_eq!(
        books.outputs(),
        [
            "exit code 0\necho $(($1 - $2))\n",
            "exit code 1\nnot 5\n",
            "changed total.sh at line 1",
            "exit code 0\n(no output)",
            "done",
        ]
    );
    let kinds: Vec<_> = books.events().iter().map(kind).collect();
    assert_eq!(
        kinds,
        ["oriented", "replied 1", "ran", "ran", "replied 2", "ran", "checkpoint", "ran", "replied 3", "ran"]
    );
    let paid: Money = books.ledger().values().map(|entry| entry.closed.unwrap()).sum();
    assert_eq!(paid, end.cost);
    assert!(books.ledger().values().all(|entry| entry.closed.unwrap() <= entry.reserved));
}

fn kind(event: &Event) -> String {
    match event {
        Event::ModelReplied { step, .. } => format!("replied {step}"),
        Event::ToolRan { .. } => "ran".to_owned(),
        Event::Oriented { .. } => "oriented".to_owned(),
        Event::Checkpoint { .. } => "checkpoint".to_owned(),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn finish_waits_for_the_calls_beside_it() {
    let folder = Folder::new(&FILES, None);
    let books = Books::new();
    let model = Script::new(vec![calls(&[finish("both"), bash("echo x > new.txt")])]);
    let end = work(brief(Task::BugFix), &model, &books, &folder).await;
    assert_eq!(books.outputs(), ["exit code 0\n(no output)", "done"]);
    assert_eq!((end.exit_reason, end.summary.as_deref()), (ExitReason::Finished, Some("both")));
    assert!(end.diff.unwrap().contains("new.txt"));
}

#[tokio::test]
async fn long_output_is_cut_and_no_control_character_reaches_the_model() {
    let folder = Folder::new(&FILES, None);
    let books = Books::new();
    let noise = "head -c 300000 /dev/zero | tr '\\0' x; printf 'the end\\033[2J\\377'";
    let model = Script::new(vec![calls(&[bash(noise)]), calls(&[finish("done")])]);
    work(brief(Task::BugFix), &model, &books, &folder).await;
    let output = &books.outputs()[0];
    assert!(output.len() < 10_200 && output.contains("bytes left out"), "{}", output.len());
    assert!(output.ends_with("the end\u{FFFD}[2J\u{FFFD}"), "{:?}", &output[output.len() - 30..]);
}
