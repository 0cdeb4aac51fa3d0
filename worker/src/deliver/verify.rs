//! The patch in a clean checkout, before the job's test command.

use domain::{Event, Outcome};
use forge::ForgeError;
use sandbox::{Command, End as CommandEnd};
use tokio::time::Instant;

use super::Delivery;
use crate::end::End;
use crate::setup;

/// Bytes of the test's output that go into the record.
const OUTPUT_BYTES: usize = 20_000;

/// What became of it.
pub struct Verdict {
    pub outcome: Outcome,
    pub timed_out: bool,
    /// A sentence for people, when it is not good.
    pub why: Option<String>,
    pub event: Option<Event>,
}

/// Applies `diff` to a clean checkout and runs `test` there.
pub async fn verify(delivery: Delivery<'_>, diff: &str, test: &str) -> Result<Verdict, End> {
    let Delivery { worker, claimed, place, scratch, deadline, .. } = delivery;
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
    if let Some(set_up) = setup::run(worker, claimed, clean.path(), deadline).await?
        && let Some(why) = set_up.why
    {
        let why = format!("in the clean checkout, {why}");
        return Ok(verified(Outcome::Failed, set_up.exit_code, set_up.output, Some(why), set_up.timed_out));
    }
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
        CommandEnd::Overfull => {
            (Outcome::Failed, None, Some("the test command filled the disk with what it wrote".to_owned()))
        }
    };
    let output = domain::clean(&worker.redaction.apply(&ran.output));
    Ok(verified(outcome, code, output, why, ran.end == CommandEnd::TimedOut))
}
