//! Whoever says stop is obeyed at once, and time runs out for everybody.

use std::io::{BufRead, BufReader, Read};
use std::process::Command;

use agent::{Halt, Monotonic, Ports, run};
use domain::{ExitReason, Task};
use tokio::sync::watch;

use crate::books::Books;
use crate::folder::Folder;
use crate::script::{Script, bash, calls};
use crate::whole::FILES;
use crate::{brief, work};

#[tokio::test]
async fn a_cancelled_job_stops_in_the_middle_of_a_command_and_leaves_no_process() {
    let folder = Folder::new(&FILES, None);
    let pipe = folder.path(".git/pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (sender, halt) = watch::channel(None);
    // The reader learns from the pipe that the command runs, and from its end that the process is gone.
    let watcher = tokio::task::spawn_blocking(move || {
        let mut pipe = BufReader::new(std::fs::File::open(pipe).unwrap());
        let mut line = String::new();
        pipe.read_line(&mut line).unwrap();
        sender.send(Some(Halt::Cancelled)).unwrap();
        pipe.read_to_string(&mut line).unwrap();
        line
    });
    let model = Script::new(vec![calls(&[bash("exec > .git/pipe; echo runs; exec sleep 1000")])]);
    let books = Books::new();
    let ports = Ports { model: &model, journal: &books, workspace: &folder, clock: &Monotonic, halt };
    let end = run(brief(Task::BugFix), ports).await;
    assert_eq!((end.exit_reason, end.halt), (ExitReason::Cancelled, Some(Halt::Cancelled)));
    assert_eq!(watcher.await.unwrap(), "runs\n");
    assert_eq!(books.outputs(), [""; 0], "the command has no result");
}

#[tokio::test]
async fn the_journal_can_stop_the_loop_between_two_steps() {
    let reasons = [
        (Halt::Interrupted, ExitReason::Interrupted),
        (Halt::Budget, ExitReason::CostCap),
        (Halt::LeaseLost, ExitReason::LostWorker),
        (Halt::Cancelled, ExitReason::Cancelled),
        (Halt::Journal { message: "down".to_owned(), passing: true }, ExitReason::Interrupted),
    ];
    for (halt, reason) in reasons {
        let (model, books) = (Script::new(vec![]), Books::new());
        books.answer(halt.clone());
        let end = work(brief(Task::BugFix), &model, &books, &Folder::new(&FILES, None)).await;
        assert_eq!((end.exit_reason, end.failure, end.error), (reason, None, Some(halt.to_string())));
        assert!(model.asked().is_empty(), "nothing is asked without a reservation");
    }
}

#[tokio::test]
async fn a_job_without_time_stops_before_it_asks() {
    let mut brief = brief(Task::BugFix);
    brief.delivery_reserve = brief.caps.time;
    let (model, books) = (Script::new(vec![]), Books::new());
    let end = work(brief, &model, &books, &Folder::new(&FILES, None)).await;
    assert_eq!((end.exit_reason, model.asked().len()), (ExitReason::TimeLimit, 0));
}
