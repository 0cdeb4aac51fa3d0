//! The self-test against sandboxes that do not hold: each is refused, and each escape is named.

use nix::unistd::geteuid;

use super::prove;
use crate::launch::weakened::{Without, launch};
use crate::{Launcher, Level, SandboxError, Settings};

// Not tests but launchers: this program executes itself with the name of one as its argument.

#[test]
#[ignore = "a launcher"]
fn launches_without_anything() {
    launch(Without::Anything);
}

#[test]
#[ignore = "a launcher"]
fn launches_without_another_user() {
    launch(Without::User);
}

#[test]
#[ignore = "a launcher"]
fn launches_without_a_filter() {
    launch(Without::Filter);
}

#[test]
#[ignore = "a launcher"]
fn launches_without_killing() {
    launch(Without::Killing);
}

/// What the self-test says to such a launcher.
async fn refusal(launcher: &str) -> SandboxError {
    let name = format!("selftest::weakened::{launcher}");
    let args = ["--exact", "--ignored", "--nocapture", "--test-threads=1", &name].map(Into::into).to_vec();
    let launcher = Launcher { program: std::env::current_exe().unwrap(), args };
    prove(&Settings { launcher, hidden: Vec::new(), ..Settings::default() }, Level::Landlock)
        .await
        .unwrap_err()
}

/// The escapes that it names, in one text.
async fn leaks(launcher: &str) -> String {
    match refusal(launcher).await {
        SandboxError::Leaks { leaks, .. } => leaks.join("\n"),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn each_kind_of_escape_is_found_where_nothing_confines() {
    let leaks = leaks("launches_without_anything").await;
    let caller = std::process::id();
    for escape in [
        "the host's localhost can be reached".to_owned(),
        "a service on the host's localhost was reached".to_owned(),
        format!("/proc/{caller}/environ can be opened"),
        format!("/proc/{caller}/mem can be opened"),
        format!("the memory of process {caller} can be read"),
        "the caller can be sent signals".to_owned(),
        "secret can be read".to_owned(),
        "outside could be overwritten".to_owned(),
        ".leak could be created".to_owned(),
    ] {
        assert!(leaks.contains(&escape), "{escape} is not among: {leaks}");
    }
}

#[tokio::test]
async fn a_command_that_stays_root_is_refused() {
    if !geteuid().is_root() {
        return;
    }
    let leaks = leaks("launches_without_another_user").await;
    assert!(
        leaks.contains("secret can be read") && leaks.contains("outside could be overwritten"),
        "{leaks}"
    );
    assert!(!leaks.contains("localhost"), "the filter holds: {leaks}");
}

#[tokio::test]
async fn a_command_without_a_filter_is_refused() {
    let leaks = leaks("launches_without_a_filter").await;
    assert!(leaks.contains("localhost can be reached"), "{leaks}");
}

#[tokio::test]
async fn processes_left_behind_are_noticed() {
    if !geteuid().is_root() {
        return;
    }
    let error = refusal("launches_without_killing").await;
    assert!(matches!(error, SandboxError::Outlived), "{error}");
    end_those_left();
}

/// The daemons that stayed: they run this program under the name of that launcher, and nobody else is left who does.
fn end_those_left() {
    let own = |pid: &i32| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains("weakened::launches_without_killing"))
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    for pid in processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(own) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
    }
}
