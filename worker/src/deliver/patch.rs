//! What a task that changes code ends in: a patch, and what its test command said to it.

use agent::Conclusion;
use domain::{Event, ExitReason, Outcome};

use super::Delivery;
use super::verify::{Verdict, verify};
use crate::end::End;

/// The workspace's changes, held against the test command if there is one.
pub async fn deliver(delivery: Delivery<'_>, conclusion: Conclusion) -> Result<End, End> {
    let reason = conclusion.exit_reason;
    let diff = delivery.place.workspace.diff().await?;
    if diff.is_empty() {
        let error = conclusion.error.unwrap_or_else(|| "nothing was changed".to_owned());
        return Ok(End::Done { outcome: Outcome::None, reason, error: Some(error), events: Vec::new() });
    }
    let verdict = match delivery.claimed.job.test_command.as_deref() {
        Some(command) => verify(delivery, &diff, command).await?,
        None => Verdict { outcome: Outcome::Unverified, timed_out: false, why: None, event: None },
    };
    let summary = conclusion.summary.unwrap_or_default();
    let mut events: Vec<Event> = verdict.event.into_iter().collect();
    events.push(Event::Delivered { diff: Some(diff), report: None, summary, findings: Vec::new() });
    let reason = if verdict.timed_out { ExitReason::TimeLimit } else { reason };
    Ok(End::Done { outcome: verdict.outcome, reason, error: verdict.why.or(conclusion.error), events })
}
