//! Reports and reviews: what is handed in is looked up once before it is accepted, and is never lost.

use agent::Changes;
use domain::{ExitReason, Severity, Task};
use serde_json::{Value, json};

use crate::books::Books;
use crate::folder::Folder;
use crate::script::{Script, calls};
use crate::{brief, work};

const FILES: [(&str, &str); 2] = [("src/a.py", "def a():\n    return 1\n"), ("src/b.py", "b = 2\n")];

fn report(text: &str) -> (&'static str, Value) {
    ("finish", json!({ "report": text }))
}

fn review(findings: &Value) -> (&'static str, Value) {
    ("finish", json!({ "summary": "one thing", "findings": findings }))
}

fn finding(line: u32) -> Value {
    json!({ "path": "src/a.py", "line": line, "severity": "major", "title": "It lies", "body": "It is 2." })
}

#[tokio::test]
async fn a_report_that_names_what_is_not_there_is_handed_back_once() {
    let (model, books) = (
        Script::new(vec![
            calls(&[report("See src/a.py:2 and src/a.py:9, src/c.py:1.")]),
            calls(&[report("See src/a.py:2 and src/c.py:1.")]),
        ]),
        Books::new(),
    );
    let end = work(brief(Task::Analysis), &model, &books, &Folder::new(&FILES, None)).await;
    let expected = "finish: not accepted yet, these places do not exist:\nsrc/a.py:9: the file has 2 lines\n\
        src/c.py:1: there is no such file\nMend them and call finish again.";
    assert_eq!(books.outputs(), [expected, "done"]);
    assert_eq!(
        (end.exit_reason, end.steps),
        (ExitReason::Finished, 2),
        "the second time it is taken as it is"
    );
    assert_eq!(end.report.as_deref(), Some("See src/a.py:2 and src/c.py:1."));
}

#[tokio::test]
async fn what_was_to_be_mended_is_delivered_at_a_cap() {
    let wrong = || calls(&[report("src/none.py:1 is wrong")]);
    let (model, books) =
        (Script::new(vec![wrong(), calls(&[("read", json!({ "path": "src/a.py" }))])]), Books::new());
    let mut job = brief(Task::Architecture);
    job.caps.steps = 3;
    let end = work(job, &model, &books, &Folder::new(&FILES, None)).await;
    assert_eq!(end.exit_reason, ExitReason::StepCap);
    assert_eq!(end.report.as_deref(), Some("src/none.py:1 is wrong"));

    let (model, books) = (Script::new(vec![wrong()]), Books::new());
    let mut job = brief(Task::Architecture);
    job.caps.steps = 1;
    let end = work(job, &model, &books, &Folder::new(&FILES, None)).await;
    assert_eq!(
        (end.exit_reason, books.outputs()),
        (ExitReason::Finished, vec!["done".to_owned()]),
        "no step is left to mend it"
    );
}

#[tokio::test]
async fn a_review_ends_in_findings() {
    let model = Script::new(vec![
        calls(&[review(&json!([{ "path": "src/a.py" }]))]),
        calls(&[review(&json!([finding(2)]))]),
    ]);
    let books = Books::new();
    let end = work(brief(Task::Review), &model, &books, &Folder::new(&FILES, None)).await;
    assert!(books.outputs()[0].starts_with("finish: finding 1: the argument `"), "{:?}", books.outputs());
    assert_eq!(
        (end.exit_reason, end.summary.as_deref(), end.report),
        (ExitReason::Finished, Some("one thing"), None)
    );
    let findings = end.findings.unwrap();
    assert_eq!((findings.len(), findings[0].severity, findings[0].line), (1, Severity::Major, 2));
}

#[tokio::test]
async fn a_finding_without_a_place_is_handed_back_once() {
    let model = Script::new(vec![
        calls(&[review(&json!([finding(3), finding(1)]))]),
        calls(&[review(&json!([finding(3)]))]),
    ]);
    let books = Books::new();
    let end = work(brief(Task::Review), &model, &books, &Folder::new(&FILES, None)).await;
    assert!(books.outputs()[0].contains("src/a.py:3: the file has 2 lines"), "{:?}", books.outputs());
    assert_eq!((end.exit_reason, end.findings.unwrap()[0].line), (ExitReason::Finished, 3));
}

#[tokio::test]
async fn the_changes_under_review_stand_in_the_first_turn() {
    let (model, books) = (Script::new(vec![calls(&[review(&json!([]))])]), Books::new());
    let diff = "diff --git a/src/a.py b/src/a.py\n@@ -1,2 +1,2 @@\n def a():\n-    return 2\n+    return 1\n";
    let mut job = brief(Task::Review);
    job.changes = Some(Changes { files: vec!["src/a.py".into()], diff: diff.into(), is_cut: false });
    let end = work(job, &model, &books, &Folder::new(&FILES, None)).await;
    let first = format!("{:?}", model.asked()[0][0]);
    assert!(first.contains("Changes under review, 1 file;") && first.contains("-    return 2"), "{first}");
    assert!(!first.contains("Perhaps these matter"), "the diff says what matters");
    assert_eq!((end.exit_reason, end.findings), (ExitReason::Finished, Some(vec![])));
}
