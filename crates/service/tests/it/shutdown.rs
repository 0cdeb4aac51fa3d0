//! Signals, sent to a process of its own.

use std::io::{BufRead, BufReader};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use service::{Shutdown, StopSignal};

use crate::rerun::rerun;

#[test]
fn the_first_signal_drains_and_the_second_means_now() {
    for (first, second) in [(Signal::SIGTERM, Signal::SIGINT), (Signal::SIGINT, Signal::SIGINT)] {
        let mut program = rerun("shutdown::a_program_that_says_what_it_hears").spawn().unwrap();
        let pid = Pid::from_raw(program.id().try_into().unwrap());
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "listening"));
        kill(pid, first).unwrap();
        assert_eq!(lines.next().unwrap(), format!("draining after {first}"));
        kill(pid, second).unwrap();
        assert_eq!(lines.next().unwrap(), "now");
        assert!(program.wait().unwrap().success());
    }
}

#[tokio::test]
#[ignore = "started by the test above, as a process that gets signals"]
async fn a_program_that_says_what_it_hears() {
    let shutdown = Shutdown::listen().unwrap();
    println!("\nlistening");
    shutdown.token().cancelled().await;
    println!("draining after {}", shutdown.signal().unwrap());
    assert!(!shutdown.now().is_cancelled());
    shutdown.now().cancelled().await;
    println!("now");
}

#[tokio::test]
async fn the_program_may_ask_itself() {
    let shutdown = Shutdown::default();
    let other = shutdown.clone();
    other.request();
    shutdown.token().cancelled().await;
    assert_eq!(shutdown.signal(), None::<StopSignal>);
    assert!(!shutdown.now().is_cancelled());
}
