//! The worker decides what is done, not the model: the patch is applied to a clean checkout and the job's test command is run
//! there.

use std::time::Duration;

use agent::Conclusion;
use domain::{Event, ExitReason, Outcome};
use forge::ForgeError;
use sandbox::{Command, End as CommandEnd};
use store::Claimed;
use tokio::time::Instant;

use crate::end::End;
use crate::ports::Place;
use crate::scratch::Scratch;
use crate::worker::Worker;

/// Bytes of the test's output that go into the record.
const OUTPUT_BYTES: usize = 20_000;

/// The part of a job's time that is kept back for all this: a quarter, at most 30 s.
pub fn reserve(time: Duration) -> Duration {
    (time / 4).min(Duration::from_secs(30))
}

/// Holds the result against a clean checkout; gives the job's end with the events that tell of it.
pub async fn deliver(
    worker: &Worker,
    claimed: &Claimed,
    place: &Place,
    scratch: &Scratch,
    conclusion: Conclusion,
    deadline: Instant,
) -> Result<End, End> {
    let reason = conclusion.exit_reason;
    if claimed.job.task.is_read_only() {
        let outcome = if conclusion.report.is_some() { Outcome::Unverified } else { Outcome::None };
        let delivered = conclusion.report.map(|report| Event::Delivered {
            diff: None,
            report: Some(report),
            summary: String::new(),
        });
        return Ok(End::Done {
            outcome,
            reason,
            error: conclusion.error,
            events: delivered.into_iter().collect(),
        });
    }
    let diff = place.workspace.diff().await?;
    if diff.is_empty() {
        let error = conclusion.error.unwrap_or_else(|| "nothing was changed".to_owned());
        return Ok(End::Done { outcome: Outcome::None, reason, error: Some(error), events: Vec::new() });
    }
    let verdict = match claimed.job.test_command.as_deref() {
        Some(command) => verify(worker, place, scratch, &diff, command, deadline).await?,
        None => Verdict { outcome: Outcome::Unverified, timed_out: false, why: None, event: None },
    };
    let summary = conclusion.summary.unwrap_or_default();
    let mut events: Vec<Event> = verdict.event.into_iter().collect();
    events.push(Event::Delivered { diff: Some(diff), report: None, summary });
    let reason = if verdict.timed_out { ExitReason::TimeLimit } else { reason };
    Ok(End::Done { outcome: verdict.outcome, reason, error: verdict.why.or(conclusion.error), events })
}

struct Verdict {
    outcome: Outcome,
    timed_out: bool,
    why: Option<String>,
    event: Option<Event>,
}

async fn verify(
    worker: &Worker,
    place: &Place,
    scratch: &Scratch,
    diff: &str,
    test: &str,
    deadline: Instant,
) -> Result<Verdict, End> {
    let started = Instant::now();
    let clean = place.mirror.checkout(&scratch.path("clean")).await?;
    let verified = |outcome, exit_code, output, why: Option<String>, timed_out| Verdict {
        outcome,
        timed_out,
        why,
        event: Some(Event::Verified {
            outcome,
            exit_code,
            output,
            elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        }),
    };
    match clean.apply(diff).await {
        Ok(()) => {}
        Err(error @ ForgeError::PatchDoesNotApply { .. }) => {
            return Ok(verified(Outcome::Failed, None, error.to_string(), Some(error.to_string()), false));
        }
        Err(error) => return Err(error.into()),
    }
    worker.sandbox.adopt(clean.path())?;
    let timeout = deadline.saturating_duration_since(Instant::now());
    let command = Command { shell: test, dir: clean.path(), timeout, output_limit: OUTPUT_BYTES, env: &[] };
    let ran = worker.sandbox.run(command).await?;
    let (outcome, code, why) = match ran.end {
        CommandEnd::Exited(0) => (Outcome::Verified, Some(0), None),
        CommandEnd::Exited(code) => {
            (Outcome::Failed, Some(code), Some(format!("the test command failed with exit code {code}")))
        }
        CommandEnd::Signalled(signal) => {
            (Outcome::Failed, None, Some(format!("the test command was killed by signal {signal}")))
        }
        CommandEnd::TimedOut => {
            let why = "the test command was still running when the job's time was up: raise its time limit";
            (Outcome::Failed, None, Some(why.to_owned()))
        }
        CommandEnd::Flooded => {
            (Outcome::Failed, None, Some("the test command printed without end".to_owned()))
        }
    };
    let output = domain::clean(&worker.redaction.apply(&ran.output));
    Ok(verified(outcome, code, output, why, ran.end == CommandEnd::TimedOut))
}
