//! What came of a job: its exit code, the object for programs, the lines for people.

use domain::{Event, EventRecord, ExitReason, JobId, JobState, Money, Outcome, Usage};
use serde::Serialize;
use store::JobRow;

use crate::error::{COULD_NOT, JOB_FAILED};
use crate::out;
use crate::view::diff;
use crate::view::number::{between, count, span};
use crate::view::text::{one_line, short};
use crate::view::why::why;

/// A job's result. `--json` prints it as it stands here.
#[derive(Clone, Debug, Serialize)]
pub struct JobResult {
    pub id: JobId,
    pub state: JobState,
    pub outcome: Option<Outcome>,
    pub exit_reason: Option<ExitReason>,
    /// The patch, for tasks that change code. It applies as it is.
    pub diff: Option<String>,
    /// The text, for tasks that read code.
    pub report: Option<String>,
    /// What was done, in the model's words.
    pub summary: Option<String>,
    /// Where it stands beside the record: branches, pages of pull requests and reviews.
    pub published: Vec<String>,
    /// Model calls that were answered.
    pub steps: i64,
    pub tokens: Usage,
    /// Calls that are not settled stand in it with their worst case.
    pub cost_micros: Money,
    /// From submission to the end, in milliseconds. None: it has not ended.
    pub elapsed_ms: Option<u128>,
    /// The models that answered, as they name themselves, joined by commas.
    pub model: Option<String>,
    pub error: Option<String>,
    #[serde(skip)]
    why: String,
}

impl JobResult {
    /// Reads the result off the job's row and its events.
    pub fn of(job: &JobRow, events: &[EventRecord]) -> JobResult {
        let mut result = JobResult {
            id: job.id,
            state: job.state,
            outcome: job.outcome,
            exit_reason: job.exit_reason,
            diff: None,
            report: None,
            summary: None,
            published: Vec::new(),
            steps: job.steps,
            tokens: job.usage,
            cost_micros: job.cost,
            elapsed_ms: job.finished_at.map(|end| between(job.created_at, end).as_millis()),
            model: Some(job.models.join(", ")).filter(|models| !models.is_empty()),
            error: job.error.clone(),
            why: why(job),
        };
        for record in events {
            match &record.event {
                Event::Delivered { diff, report, summary, .. } => {
                    result.diff.clone_from(diff);
                    result.report.clone_from(report);
                    result.summary = Some(summary.clone());
                }
                Event::Published { url, .. } if !result.published.contains(url) => {
                    result.published.push(url.clone())
                }
                // What an earlier round delivered is no longer the result.
                Event::Retried { .. } => (result.diff, result.report, result.summary) = (None, None, None),
                _ => {}
            }
        }
        result
    }

    /// 0: it succeeded. 3: the system never got to work on it. 1: anything else.
    pub fn exit_code(&self) -> u8 {
        exit_code(self.state, self.exit_reason, self.steps)
    }

    /// `succeeded · verified · 6 steps · 8.1k tokens · $0.012345 · 4.2s · MODEL`, and why, where it did not succeed.
    pub fn headline(&self) -> String {
        let outcome = self.outcome.map(|outcome| format!(" · {outcome}")).unwrap_or_default();
        let elapsed = self.elapsed_ms.and_then(|ms| u64::try_from(ms).ok());
        let elapsed = elapsed.map(std::time::Duration::from_millis).map(span).unwrap_or_default();
        let model = one_line(self.model.as_deref().unwrap_or("no model answered"), 80);
        let steps = if self.steps == 1 { "1 step".to_owned() } else { format!("{} steps", self.steps) };
        let (tokens, cost) = (count(self.tokens.full_rate()), self.cost_micros);
        let mut line = format!(
            "{} {}{outcome} · {steps} · {tokens} tokens · {cost} · {elapsed} · {model}",
            short(&self.id),
            self.state
        );
        for place in &self.published {
            line.push_str(&format!("\npublished: {}", one_line(place, 300)));
        }
        if self.state != JobState::Succeeded {
            line.push_str(&format!("\nbecause {}", self.why));
            if let Some(error) = &self.error {
                line.push_str(&format!(": {}", one_line(error, 2_000)));
            }
        }
        line
    }

    /// Writes the diff or report alone: as it is for a program, cleaned and coloured for a person.
    pub fn print(&self) {
        let mut text = match (&self.diff, &self.report) {
            (Some(patch), _) if out::stdout_is_terminal() => diff::shown(patch, out::stdout_takes_colour()),
            (None, Some(report)) if out::stdout_is_terminal() => domain::clean(report),
            (Some(text), _) | (None, Some(text)) => text.clone(),
            (None, None) => return,
        };
        if !text.ends_with('\n') && !text.is_empty() {
            text.push('\n');
        }
        out::raw(&text);
    }
}

fn exit_code(state: JobState, reason: Option<ExitReason>, steps: i64) -> u8 {
    use ExitReason::{DeliveryError, LostWorker, ModelError, SandboxError};
    match state {
        JobState::Succeeded => 0,
        JobState::Failed | JobState::Dead
            if steps == 0
                && matches!(reason, Some(ModelError | SandboxError | DeliveryError | LostWorker)) =>
        {
            COULD_NOT
        }
        _ => JOB_FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_tells_a_failed_job_from_a_system_that_never_started() {
        let cases = [
            (JobState::Succeeded, ExitReason::StepCap, 5, 0),
            (JobState::Failed, ExitReason::Finished, 5, 1),
            (JobState::Cancelled, ExitReason::Cancelled, 0, 1),
            (JobState::Dead, ExitReason::ModelError, 3, 1),
            (JobState::Dead, ExitReason::ModelError, 0, 3),
            (JobState::Failed, ExitReason::DeliveryError, 0, 3),
        ];
        for (state, reason, steps, code) in cases {
            assert_eq!(exit_code(state, Some(reason), steps), code, "{state} {reason} {steps}");
        }
    }
}
