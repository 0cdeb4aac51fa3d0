//! What came of each case, and of all of them. `--json` prints it as it stands here.

use std::time::Duration;

use corpus::{Case, Delivered, judge};
use domain::{Event, EventRecord, ExitReason, JobId, JobState, Money, Outcome, Task, Usage};
use serde::Serialize;
use store::JobRow;

use super::ms;
use crate::view::number::between;

/// One case.
#[derive(Clone, Debug, Serialize)]
pub struct Score {
    pub case: String,
    pub language: String,
    pub task: Task,
    pub solved: bool,
    /// What is missing or too much, each in a sentence; empty when it is solved.
    pub faults: Vec<String>,
    pub job: JobId,
    pub state: JobState,
    pub outcome: Option<Outcome>,
    pub exit_reason: Option<ExitReason>,
    pub error: Option<String>,
    /// Model calls that were answered.
    pub steps: i64,
    pub tokens: Usage,
    pub cost_micros: Money,
    /// From the claim to the end.
    pub elapsed_ms: u64,
    /// The models that answered, as they name themselves, joined by commas.
    pub model: Option<String>,
}

impl Score {
    /// Judges the job of `case`, which has ended with these events.
    pub fn of(case: &Case, job: &JobRow, events: &[EventRecord]) -> Score {
        let delivered = events.iter().rev().find_map(|record| match &record.event {
            Event::Delivered { report, findings, .. } => Some((report.as_deref(), findings.as_slice())),
            _ => None,
        });
        let (report, findings) = delivered.unwrap_or_default();
        let verdict = judge(case, &Delivered { state: job.state, outcome: job.outcome, report, findings });
        let elapsed = job.started_at.zip(job.finished_at).map(|(start, end)| between(start, end));
        Score {
            case: case.name.clone(),
            language: case.language.clone(),
            task: case.task,
            solved: verdict.is_solved(),
            faults: verdict.faults,
            job: job.id,
            state: job.state,
            outcome: job.outcome,
            exit_reason: job.exit_reason,
            error: job.error.clone(),
            steps: job.steps,
            tokens: job.usage,
            cost_micros: job.cost,
            elapsed_ms: ms(elapsed.unwrap_or_default()),
            model: Some(job.models.join(", ")).filter(|models| !models.is_empty()),
        }
    }
}

/// A case that cannot be done on this machine.
#[derive(Clone, Debug, Serialize)]
pub struct Skipped {
    pub case: String,
    pub why: String,
}

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// Whether prepared conversations were played in place of a model.
    pub rehearsal: bool,
    pub cases: Vec<Score>,
    pub skipped: Vec<Skipped>,
    pub total: Total,
}

/// The sums.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Total {
    pub cases: usize,
    pub solved: usize,
    pub skipped: usize,
    pub steps: i64,
    pub tokens: Usage,
    pub cost_micros: Money,
    /// The jobs' own time, added up.
    pub worked_ms: u64,
    /// The time that all of it took, set-up and all.
    pub elapsed_ms: u64,
}

impl Evaluation {
    /// Adds up. `elapsed`: what all of it took.
    pub fn of(rehearsal: bool, cases: Vec<Score>, skipped: Vec<Skipped>, elapsed: Duration) -> Evaluation {
        let mut total = Total {
            cases: cases.len(),
            skipped: skipped.len(),
            elapsed_ms: ms(elapsed),
            cost_micros: cases.iter().map(|score| score.cost_micros).sum(),
            ..Total::default()
        };
        for score in &cases {
            total.solved += usize::from(score.solved);
            total.steps += score.steps;
            total.tokens += score.tokens;
            total.worked_ms += score.elapsed_ms;
        }
        Evaluation { rehearsal, cases, skipped, total }
    }

    /// Whether every case that was done is solved.
    pub fn is_solved(&self) -> bool {
        self.total.solved == self.total.cases
    }
}
