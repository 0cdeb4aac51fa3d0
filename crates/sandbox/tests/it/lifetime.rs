//! Nothing outlives its command, its deadline or its caller.

use std::process::Stdio;
use std::time::Duration;

use sandbox::{Command, End, Level, Limits, Settings};

use crate::common::{Bench, alive, benches, folder, marker, settings, until};

/// A family of processes, some of them daemons, all with `marker` on their command lines.
fn family(marker: &str) -> String {
    let sleeper = format!("bash -c 'sleep 1000; : {marker}'");
    format!(
        "{sleeper} & (setsid {sleeper} &) ; (setsid bash -c \"({sleeper} &) ; exit\" > /dev/null 2>&1 &) ; {sleeper}"
    )
}

#[tokio::test]
async fn at_the_deadline_the_whole_family_dies() {
    for bench in benches(settings()).await {
        let marker = marker();
        let shell = family(&marker);
        let timeout = Duration::from_millis(500);
        let finished = bench.sandbox.run(Command { timeout, ..bench.command(&shell) }).await.unwrap();
        assert_eq!(finished.end, End::TimedOut);
        assert_eq!(alive(&marker), 0, "{}", bench.sandbox.level());
    }
}

#[tokio::test]
async fn a_daemon_neither_outlives_its_command_nor_holds_it_up() {
    for bench in benches(settings()).await {
        let marker = marker();
        let started = "echo started; : > up";
        let daemon = format!(
            "(setsid bash -c '{started}; trap \"\" TERM HUP; while :; do sleep 1000; : {marker}; done' &)"
        );
        let shell = format!("{daemon}; until test -e up; do :; done; exit 7");
        let finished = bench.run(&shell).await;
        assert_eq!((finished.end, finished.output.as_str()), (End::Exited(7), "started\n"));
        assert_eq!(alive(&marker), 0, "{}", bench.sandbox.level());
    }
}

#[tokio::test]
async fn a_dropped_future_kills() {
    for bench in benches(settings()).await {
        let marker = marker();
        let shell = family(&marker);
        let seen = || alive(&marker) >= 4;
        tokio::select! {
            finished = bench.run(&shell) => panic!("it ended: {finished:?}"),
            () = until("the family lives", seen) => {}
        }
        until("the family is gone", || alive(&marker) == 0).await;
    }
}

#[tokio::test]
async fn a_fork_bomb_is_contained_and_cleaned_up() {
    let limits = Limits { processes: 60, ..Limits::default() };
    for bench in benches(Settings { limits, ..settings() }).await {
        let marker = marker();
        let shell = format!("bomb() {{ bomb | bomb & }}; bomb; while :; do :; done; : {marker}");
        let timeout = Duration::from_millis(700);
        let finished = bench.sandbox.run(Command { timeout, ..bench.command(&shell) }).await.unwrap();
        assert_eq!(finished.end, End::TimedOut);
        assert_eq!(alive(&marker), 0, "{}", bench.sandbox.level());
    }
}

#[tokio::test]
async fn a_stopped_process_dies_too() {
    for bench in benches(settings()).await {
        let marker = marker();
        let shell = format!("bash -c 'kill -STOP $$; : {marker}' & sleep 0.1; exit 3");
        assert_eq!(bench.run(&shell).await.end, End::Exited(3));
        assert_eq!(alive(&marker), 0);
    }
}

#[tokio::test]
async fn a_command_dies_with_its_caller() {
    for level in Level::ALL {
        if Bench::at(level, settings()).await.is_none() {
            continue;
        }
        let marker = marker();
        // What a killed process leaves behind is left in here.
        let place = folder();
        std::fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        let mut caller = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "lifetime::a_caller_that_will_be_killed"])
            .env("SANDBOX_TEST_MARKER", &marker)
            .env("SANDBOX_TEST_LEVEL", level.name())
            .env("TMPDIR", place.path())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        until("the family lives", || alive(&marker) >= 4).await;
        caller.kill().await.unwrap();
        until("the family is gone", || alive(&marker) == 0).await;
        let homes = || std::fs::read_dir(place.path()).unwrap().flatten().any(is_home);
        until("the private folder is gone", || !homes()).await;
    }
}

fn is_home(entry: std::fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with("sandbox-home-")
}

#[tokio::test]
#[ignore = "a part of a_command_dies_with_its_caller"]
async fn a_caller_that_will_be_killed() {
    let marker = std::env::var("SANDBOX_TEST_MARKER").unwrap();
    let name = std::env::var("SANDBOX_TEST_LEVEL").unwrap();
    let level = Level::ALL.into_iter().find(|level| level.name() == name).unwrap();
    let bench = Bench::at(level, settings()).await.unwrap();
    bench.run(&family(&marker)).await;
}
