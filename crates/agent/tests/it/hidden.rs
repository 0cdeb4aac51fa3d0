//! Secrets that stand in the repository's files: neither the model nor the journal has them.

use agent::Changes;
use domain::{Event, Task};
use serde_json::json;

use crate::books::Books;
use crate::folder::{Folder, SECRET};
use crate::script::{Script, calls, edit, finish};
use crate::{brief, work};

fn assert_hidden(model: &Script, books: &Books) {
    let seen = format!("{:?}", model.asked());
    assert!(seen.contains("[redacted]") && !seen.contains(SECRET), "{seen}");
    for event in books.events() {
        let written = format!("{event:?}");
        assert!(matches!(event, Event::Checkpoint { .. }) || !written.contains(SECRET), "{written}");
    }
}

fn folder() -> Folder {
    let total = format!("echo $((2 - 3)) # {SECRET}\n");
    Folder::new(&[("test.sh", "[ \"$(sh total.sh)\" = 5 ]\n"), ("total.sh", &total)], None)
}

#[tokio::test]
async fn what_is_read_and_found_and_shown_at_first_goes_without_them() {
    let looks = [("read", json!({ "path": "total.sh" })), ("grep", json!({ "pattern": "echo" }))];
    let (model, books) =
        (Script::new(vec![calls(&looks), calls(&[("finish", json!({ "report": "x" }))])]), Books::new());
    work(brief(Task::Analysis), &model, &books, &folder()).await;
    let outputs = books.outputs();
    assert!(outputs[..2].iter().all(|output| output.contains("# [redacted]")), "{outputs:?}");
    assert!(format!("{:?}", model.asked()[0]).contains("# [redacted]"), "{:?}", model.asked()[0]);
    assert_hidden(&model, &books);
}

#[tokio::test]
async fn the_changes_under_review_go_without_them() {
    let (model, books) = (Script::new(vec![calls(&[("finish", json!({ "summary": "x" }))])]), Books::new());
    let diff = format!(
        "diff --git a/total.sh b/total.sh\n--- a/total.sh\n+++ b/total.sh\n@@ -0,0 +1 @@\n+echo {SECRET}\n"
    );
    let mut job = brief(Task::Review);
    job.changes = Some(Changes { files: vec!["total.sh".into()], diff, is_cut: false });
    work(job, &model, &books, &folder()).await;
    assert_hidden(&model, &books);
}

#[tokio::test]
async fn an_edit_leaves_them_in_the_file() {
    let (model, books) =
        (Script::new(vec![calls(&[edit("total.sh", "2 -", "2 +")]), calls(&[finish("x")])]), Books::new());
    let folder = folder();
    work(brief(Task::BugFix), &model, &books, &folder).await;
    let total = std::fs::read_to_string(folder.path("total.sh")).unwrap();
    assert_eq!(total, format!("echo $((2 + 3)) # {SECRET}\n"));
    assert_hidden(&model, &books);
}
