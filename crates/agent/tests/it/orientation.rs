//! What stands in front of the model before it is asked for the first time.

use agent::Turn;
use domain::{Event, ExitReason, Task};

use crate::books::Books;
use crate::folder::Folder;
use crate::script::{Script, calls, finish};
use crate::whole::FILES;
use crate::{brief, work};

fn first_turn(model: &Script) -> String {
    match model.asked()[0].first() {
        Some(Turn::User(first)) => first.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_failing_test_and_the_likely_files_come_first() {
    let folder = Folder::new(&FILES, None);
    let (model, books) = (Script::new(vec![calls(&[finish("x")])]), Books::new());
    work(brief(Task::BugFix), &model, &books, &folder).await;
    let first = first_turn(&model);
    assert!(first.contains("ends with exit code 1 and says:\nnot 5\n"), "{first}");
    assert!(first.contains("--- test.sh (1 line, whole)\n1 [ "), "the test is named by its command: {first}");
    assert!(first.contains("--- total.sh (1 line, whole)\n1 echo"), "the prompt says total: {first}");
    assert!(matches!(&books.events()[0], Event::Oriented { turn, .. } if *turn == first));
}

#[tokio::test]
async fn what_the_first_test_leaves_behind_is_no_part_of_the_work() {
    let folder = Folder::new(&[("a.txt", "a\n"), ("b.txt", "b\n")], None);
    let (model, books) = (Script::new(vec![calls(&[finish("x")])]), Books::new());
    let mut brief = brief(Task::BugFix);
    brief.test_command = Some("echo 1 > left; echo 2 >> a.txt; rm b.txt; exit 7".to_owned());
    let end = work(brief, &model, &books, &folder).await;
    assert_eq!((end.exit_reason, end.diff), (ExitReason::Finished, None));
    assert!(!folder.path("left").exists());
    assert_eq!(std::fs::read_to_string(folder.path("a.txt")).unwrap(), "a\n");
    assert_eq!(std::fs::read_to_string(folder.path("b.txt")).unwrap(), "b\n");
}

#[tokio::test]
async fn a_later_attempt_says_the_same_and_runs_no_test_again() {
    let (model, books) = (Script::new(vec![calls(&[finish("x")])]), Books::new());
    let mut job = brief(Task::BugFix);
    job.test_command = Some("date +%N; exit 1".to_owned());
    work(job.clone(), &model, &books, &Folder::new(&FILES, None)).await;
    let mut again = job;
    again.resumed = books.next_attempt(None);
    again.prompt = "something else".to_owned();
    let end = work(again, &model, &books, &Folder::new(&FILES, None)).await;
    assert_eq!((end.exit_reason, model.asked().len()), (ExitReason::Finished, 1));
    let oriented = books.events().iter().filter(|event| matches!(event, Event::Oriented { .. })).count();
    assert_eq!(oriented, 1);
}

#[tokio::test]
async fn a_job_that_reads_runs_nothing_first() {
    let folder = Folder::new(&FILES, None);
    let (model, books) = (Script::new(vec![calls(&[finish("x")])]), Books::new());
    let mut brief = brief(Task::Analysis);
    brief.test_command = Some("touch ran".to_owned());
    brief.caps.steps = 1;
    work(brief, &model, &books, &folder).await;
    assert!(!folder.path("ran").exists() && !first_turn(&model).contains("Before any change"));
}

#[tokio::test]
async fn a_small_cap_leaves_room_for_the_work() {
    let large: String = (0..2_000).map(|n| format!("total line {n}\n")).collect();
    let folder = Folder::new(&[("total.txt", &large), ("total.sh", &large)], None);
    let (model, books) = (Script::new(vec![calls(&[finish("x")])]), Books::new());
    let mut brief = brief(Task::BugFix);
    (brief.caps.tokens, brief.test_command) = (6_000, None);
    let end = work(brief, &model, &books, &folder).await;
    assert_eq!(end.exit_reason, ExitReason::Finished);
    assert!(first_turn(&model).len() < 2_000);
}
