//! The set-up: the job's own command that fetches what a build needs, in a checkout where nobody has worked yet.
//!
//! It is the only command with a network, and it runs when there is nothing to steal: no secret is ever in a checkout, and
//! no model has had a say. What it makes must be ignored by git, so that it reaches the work and stays out of the patch.

use std::path::Path;

use domain::{Event, Failure};
use sandbox::{Command, End as CommandEnd};
use store::{Claimed, Journal};
use tokio::time::Instant;

use crate::end::End;
use crate::ports::Place;
use crate::worker::Worker;

/// Bytes of a command's output that go into the record.
pub const OUTPUT_BYTES: usize = 20_000;
/// Files that a complaint names.
const NAMED: usize = 5;

/// What became of it.
pub struct SetUp {
    pub exit_code: Option<i32>,
    pub output: String,
    pub elapsed_ms: u64,
    pub timed_out: bool,
    /// Where it was not let, with reasons.
    pub refused: Vec<String>,
    /// A sentence for people, when it failed.
    pub why: Option<String>,
}

/// Sets the agent's workspace up, and writes down how that went. Nothing is done for a job that has no such command, or that
/// runs no commands at all.
pub async fn prepare(
    worker: &Worker,
    claimed: &Claimed,
    place: &Place,
    journal: &Journal,
    deadline: Instant,
) -> Result<(), End> {
    if claimed.job.setup_command.is_none() || claimed.job.task.is_read_only() {
        return Ok(());
    }
    let before = place.workspace.diff().await?;
    let Some(set_up) = run(worker, claimed, place.workspace.path(), deadline).await? else { return Ok(()) };
    let SetUp { exit_code, output, elapsed_ms, timed_out, refused, why } = set_up;
    journal.append(&[Event::SetUp { exit_code, output, elapsed_ms }], deadline).await?;
    if let Some(error) = why {
        let failure = match (timed_out, refused.is_empty()) {
            (true, _) => Failure::SetUpSlow,
            (false, true) => Failure::SetUpFailed,
            // No other attempt would be let there.
            (false, false) => Failure::SetUpRefused,
        };
        return Err(End::refused(failure, error));
    }
    let changed = match place.workspace.diff().await {
        Ok(after) if after == before => return Ok(()),
        Ok(after) => files(&after),
        Err(error @ forge::ForgeError::DiffTooLarge { .. }) => error.to_string(),
        Err(error) => return Err(error.into()),
    };
    let error = format!(
        "the set-up command changes files that would become part of the patch: have it leave the repository's own files \
         alone (npm ci, not npm install), and git ignore what it makes (.gitignore): {changed}"
    );
    Err(End::refused(Failure::SetUpRefused, error))
}

/// Runs it in `dir`. None: the job has none.
pub async fn run(
    worker: &Worker,
    claimed: &Claimed,
    dir: &Path,
    deadline: Instant,
) -> Result<Option<SetUp>, End> {
    let Some(shell) = claimed.job.setup_command.as_deref() else { return Ok(None) };
    let timeout = deadline.saturating_duration_since(Instant::now());
    let command = Command { shell, dir, timeout, output_limit: OUTPUT_BYTES, env: &[] };
    let ran = worker.sandbox.run_connected(command, &worker.settings.setup_hosts).await?;
    let (finished, refused) = (ran.finished, ran.refused);
    let (exit_code, why) = ended(finished.end);
    let mut output = finished.output;
    let mut why = why.map(|why| format!("the set-up command {why}"));
    if !refused.is_empty() {
        let told = refused.join("; ");
        why = why.map(|why| format!("{why} (it was refused {})", refused[0]));
        output.push_str(&format!("\n[refused (SETUP_HOSTS): {told}]"));
    }
    Ok(Some(SetUp {
        exit_code,
        output: domain::clean(&worker.redaction.apply(&output)),
        elapsed_ms: u64::try_from(finished.elapsed.as_millis()).unwrap_or(u64::MAX),
        timed_out: finished.end == CommandEnd::TimedOut,
        refused,
        why,
    }))
}

/// A command's exit code, and what is wrong with its end, to stand behind its name.
pub fn ended(end: CommandEnd) -> (Option<i32>, Option<String>) {
    match end {
        CommandEnd::Exited(0) => (Some(0), None),
        CommandEnd::Exited(code) => (Some(code), Some(format!("failed with exit code {code}"))),
        CommandEnd::Signalled(signal) => (None, Some(format!("was killed by signal {signal}"))),
        CommandEnd::TimedOut => {
            (None, Some("was still running when the job's time was up: raise its time limit".to_owned()))
        }
        CommandEnd::Flooded => (None, Some("printed without end".to_owned())),
        CommandEnd::Overfull => (None, Some("filled the disk with what it wrote".to_owned())),
    }
}

/// The files of a patch, the first few.
fn files(patch: &str) -> String {
    let names = patch.lines().filter_map(|line| line.strip_prefix("diff --git ")?.rsplit_once(" b/"));
    let all: Vec<&str> = names.map(|(_, name)| name).collect();
    let more = all.len().saturating_sub(NAMED);
    let named = all[..all.len() - more].join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_names_the_first_files() {
        let patch: String =
            (1..=7).map(|i| format!("diff --git a/f{i} b/f{i}\n+diff --git a/x b/x\n")).collect();
        assert_eq!(files(&patch), "f1, f2, f3, f4, f5 and 2 more");
        assert_eq!(files("diff --git a/a b/a\n"), "a");
    }
}
