//! One test of this binary, marked `ignored` there, as a process of its own.

use std::path::Path;
use std::process::{Command, Stdio};

pub fn rerun(test: &str) -> Command {
    arguments(Command::new(std::env::current_exe().unwrap()), test)
}

/// The same as an ordinary user, who may have no business where the sources lie: it runs a copy in `dir`.
pub fn rerun_as_nobody(test: &str, dir: &Path) -> Command {
    let copy = dir.join("it");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy).current_dir("/");
    arguments(command, test)
}

fn arguments(mut command: Command, test: &str) -> Command {
    command.args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
