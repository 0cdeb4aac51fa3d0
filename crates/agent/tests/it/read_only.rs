//! Jobs that read: no shell, and a report at the end.

use domain::{ExitReason, Task};
use serde_json::json;

use crate::books::Books;
use crate::folder::Folder;
use crate::script::{Script, bash, calls};
use crate::{brief, work};

#[tokio::test]
async fn a_question_is_answered_by_reading_alone() {
    let files = [
        ("a.py", "import b\ntotal = b.sum(1)\n"),
        ("lib/b.py", "def sum(x):\n    return x\n"),
        ("z.bin", "\0sum"),
    ];
    let folder = Folder::new(&files, None);
    let books = Books::new();
    let model = Script::new(vec![
        calls(&[
            ("grep", json!({ "pattern": "sum\\(" })),
            ("grep", json!({ "pattern": "sum(", "path": "lib/" })),
        ]),
        calls(&[
            ("read", json!({ "path": "lib/b.py", "from_line": 2 })),
            ("read", json!({ "path": "z.bin" })),
        ]),
        calls(&[bash("rm -r lib"), ("edit", json!({})), ("grep", json!({ "pattern": "absent" }))]),
        calls(&[("finish", json!({ "report": "lib/b.py:2 returns its argument" }))]),
    ]);
    let end = work(brief(Task::Analysis), &model, &books, &folder).await;
    assert_eq!(
        books.outputs(),
        [
            "a.py:2:total = b.sum(1)\nlib/b.py:1:def sum(x):\n",
            "(not a valid regular expression: searched for as plain text)\nlib/b.py:1:def sum(x):\n",
            "2     return x\n",
            "read: z.bin is binary (4 bytes)",
            "there is no tool \"bash\": call one of read, grep, finish",
            "there is no tool \"edit\": call one of read, grep, finish",
            "no match in 3 files",
            "done",
        ]
    );
    assert_eq!((end.exit_reason, end.diff, end.summary), (ExitReason::Finished, None, None));
    assert_eq!(end.report.as_deref(), Some("lib/b.py:2 returns its argument"));
    assert!(folder.path("lib/b.py").exists());
}

#[tokio::test]
async fn the_model_is_told_before_its_last_call() {
    let folder = Folder::new(&[("a", "b\n")], None);
    let books = Books::new();
    let reads = |line: u64| calls(&[("read", json!({ "path": "a", "lines": line }))]);
    let model = Script::new(vec![reads(1), reads(2), reads(3)]);
    let mut brief = brief(Task::Review);
    brief.caps.steps = 3;
    let end = work(brief, &model, &books, &folder).await;
    let told: Vec<_> = books.outputs().iter().map(|output| output.contains("may be the last")).collect();
    assert_eq!((end.exit_reason, told), (ExitReason::StepCap, vec![false, true, true]));
}
