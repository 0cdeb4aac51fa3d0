//! The attacks that docs/sandbox.md numbers, each at every level that this machine allows, and each with its control: the
//! same script without a sandbox succeeds, so that its failing within one proves something.

mod endpoints;
mod exhaustion;
mod kernel;
mod next_job;
mod outlive;
mod processes;
mod terminal;
mod unpacking;
mod wandering;

use std::path::Path;
use std::process::{Command, Output};

/// Runs a script without a sandbox, in `dir`.
fn unconfined_in(dir: &Path, script: &str) -> Output {
    Command::new("bash").args(["-c", script]).current_dir(dir).output().unwrap()
}

/// The control: what a script prints without a sandbox, where it must succeed.
fn unconfined(script: &str) -> String {
    let output = unconfined_in(Path::new("/"), script);
    assert!(
        output.status.success(),
        "the control fails: {script}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
