//! The patch in a clean checkout, before the job's test command.

use domain::{Event, Failure, Outcome};
use forge::ForgeError;
use sandbox::{Command, End as CommandEnd};
use tokio::time::Instant;

use super::Delivery;
use crate::end::End;
use crate::setup;

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
    worker.sandbox.adopt(clean.path())?;
    // Before anything that a model wrote is there: this command has a network. So if it fails, the patch is not why.
    if let Some(set_up) = setup::run(worker, claimed, clean.path(), deadline).await?
        && let Some(why) = set_up.why
    {
        let error = format!("in the clean checkout, {why}");
        if !set_up.timed_out {
            return Err(End::Failed { failure: Failure::SetUpFailed, error, events: Vec::new() });
        }
        return Ok(verified(Outcome::Failed, set_up.exit_code, set_up.output, Some(error), true));
    }
    match clean.apply(diff).await {
        Ok(()) => {}
        Err(error @ ForgeError::PatchDoesNotApply { .. }) => {
            return Ok(verified(Outcome::Failed, None, error.to_string(), Some(error.to_string()), false));
        }
        Err(error) => return Err(error.into()),
    }
    worker.sandbox.adopt(clean.path())?;
    let timeout = deadline.saturating_duration_since(Instant::now());
    let command =
        Command { shell: test, dir: clean.path(), timeout, output_limit: setup::OUTPUT_BYTES, env: &[] };
    let ran = worker.sandbox.run(command).await?;
    let (code, why) = setup::ended(ran.end);
    let outcome = if why.is_none() { Outcome::Verified } else { Outcome::Failed };
    let why = why.map(|why| format!("the test command {why}"));
    let output = domain::clean(&worker.redaction.apply(&ran.output));
    Ok(verified(outcome, code, output, why, ran.end == CommandEnd::TimedOut))
}
