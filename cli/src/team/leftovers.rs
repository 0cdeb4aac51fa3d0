//! Workers that a killed scaler left behind.
//!
//! What the database says of their processes is what they said themselves, and a process id may be another's by now: only
//! a process that runs the worker program is touched.

use std::path::Path;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use store::Database;

use crate::programs;

/// Ends the workers of a database that is the team's own, so that all of them are on this machine. Their leases run out,
/// and the next team takes their jobs up.
pub async fn kill(database: &Database) {
    let Ok(program) = programs::find("worker") else { return };
    for worker in database.workers().await.unwrap_or_default() {
        if runs(worker.pid, &program) {
            tracing::warn!(pid = worker.pid, "a worker did not stop in time and is killed");
            _ = signal::kill(Pid::from_raw(worker.pid), Signal::SIGKILL);
        } else {
            tracing::warn!(
                pid = worker.pid,
                "a worker is listed with a process that is none: it is left alone"
            );
        }
    }
}

/// Whether `pid` is a process that runs `program`. Ids below 2 mean all processes, a group of them, or the first.
fn runs(pid: i32, program: &Path) -> bool {
    let running = (pid > 1).then(|| std::fs::read_link(format!("/proc/{pid}/exe")).ok()).flatten();
    running.is_some() && running == program.canonicalize().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_of_the_program_is_taken_for_one() {
        let (own, pid) = (std::env::current_exe().unwrap(), i32::try_from(std::process::id()).unwrap());
        assert!(runs(pid, &own));
        assert!(!runs(pid, Path::new("/bin/sh")));
        for nobody in [i32::MIN, -pid, -1, 0, 1] {
            assert!(!runs(nobody, &own), "{nobody}");
        }
    }
}
