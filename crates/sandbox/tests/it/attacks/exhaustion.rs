//! 14 and 15: forks, memory, disk and inodes without end, each small enough for the machine that tests.

use std::time::Duration;

use sandbox::{Command, End, Level, Limits, Settings};

use super::{unconfined, unconfined_in};
use crate::common::{Bench, alive, benches, folder, marker, settings};

#[tokio::test]
async fn a14_a_fork_bomb_ends_with_its_command() {
    let many = "for i in {1..80}; do sleep 5 & done 2> /dev/null; jobs -r | wc -l; kill $(jobs -p)";
    assert_eq!(unconfined(many), "80\n");
    let limits = Limits { processes: 40, ..Limits::default() };
    for bench in benches(Settings { limits, ..settings() }).await {
        let said = bench.run(&format!("({many}) 2>&1")).await.output;
        assert!(!said.starts_with("80\n"), "{said}");
        let marker = marker();
        let bomb = format!("bomb() {{ bomb | bomb & }}; bomb; while :; do :; done; : {marker}");
        let timeout = Duration::from_millis(500);
        let finished = bench.sandbox.run(Command { timeout, ..bench.command(&bomb) }).await.unwrap();
        assert_eq!((finished.end, alive(&marker)), (End::TimedOut, 0));
    }
}

#[tokio::test]
async fn a15_memory_is_bounded() {
    let hungry = "perl -e '$x = \"x\" x 150_000_000; print length $x'";
    assert_eq!(unconfined(hungry), "150000000");
    let limits = Limits { memory: 64 << 20, ..Limits::default() };
    for bench in benches(Settings { limits, ..settings() }).await {
        assert_ne!(bench.run(hungry).await.output, "150000000");
    }
}

#[tokio::test]
async fn a15_one_file_is_bounded() {
    let large = "head -c 3000000 /dev/zero > large; stat -c %s large";
    let place = folder();
    assert_eq!(unconfined_in(place.path(), large).stdout, b"3000000\n");
    let limits = Limits { file_size: 1 << 20, ..Limits::default() };
    for bench in benches(Settings { limits, ..settings() }).await {
        let said = bench.output(large).await;
        assert!(said.ends_with("1048576\n"), "{said}");
    }
}

/// The marker says whether it came to its end.
async fn must_be_stopped(fill: &str, limits: Limits) {
    let place = folder();
    let script = format!("{fill}; echo all");
    assert_eq!(unconfined_in(place.path(), &script).stdout, b"all\n");
    // Whoever is stopped in time is not done; who is never stopped would wait for the time-out.
    let script = format!("{script}; sleep 1000");
    for bench in benches(Settings { limits, ..settings() }).await {
        assert_eq!(bench.run(&script).await.end, End::Overfull, "{}", bench.sandbox.level());
    }
}

#[tokio::test]
async fn a15_a_workspace_that_fills_the_disk_ends_its_command() {
    let fill = "for i in {1..10}; do head -c 4000000 /dev/urandom > file$i; done; sync";
    must_be_stopped(fill, Limits { disk: 16 << 20, ..Limits::default() }).await;
}

#[tokio::test]
async fn a15_a_workspace_with_files_without_end_ends_its_command() {
    let fill = "mkdir d; for i in {1..30}; do mkdir d/$i; touch d/$i/{1..50}; done";
    must_be_stopped(fill, Limits { inodes: 800, ..Limits::default() }).await;
}

#[tokio::test]
async fn a15_a_folder_too_deep_to_look_into_ends_its_command() {
    let fill = "perl -e 'for (1..800) { mkdir q(deeply); chdir q(deeply) }'";
    must_be_stopped(fill, Limits::default()).await;
}

#[tokio::test]
async fn a15_private_folders_in_memory_are_bounded() {
    let limits = Limits { scratch: 4 << 20, ..Limits::default() };
    let Some(bench) = Bench::at(Level::Namespaces, Settings { limits, ..settings() }).await else { return };
    for place in ["/tmp", "/var/tmp", "/dev/shm"] {
        let full = bench.failure(&format!("head -c 9000000 /dev/zero > {place}/full")).await;
        assert!(full.contains("No space left"), "{full}");
        let full = bench.failure(&format!("rm -f {place}/*; touch {place}/{{1..3000}}")).await;
        assert!(full.contains("No space left"), "{full}");
    }
}
