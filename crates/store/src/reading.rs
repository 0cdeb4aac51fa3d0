//! Looking at jobs from outside: lists, one job, its calls, and its events as they come.

use std::sync::Arc;

use domain::{
    Attempt, Delivery, EventRecord, ExitReason, JobId, JobState, Mode, Money, Outcome, Task, Usage, WorkerId,
};
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::database::Param;
use crate::prefix::ids_from;
use crate::row::{cell, read};
use crate::{BudgetStop, Database, Doorbell, StoreError, Topic, Waiting};

/// Which jobs to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct JobFilter {
    /// None: any.
    pub state: Option<JobState>,
    /// None: any.
    pub mode: Option<Mode>,
    /// This one alone, whatever else the filter says. None: any.
    pub id: Option<JobId>,
    /// The next page: only jobs that stand after this one in the list, by its `created_at` and id. None: from the newest.
    pub before: Option<(Timestamp, JobId)>,
}

/// A job as a list shows it.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)] // the columns of codeteam.jobs
pub struct JobRow {
    pub id: JobId,
    pub mode: Mode,
    pub task: Task,
    pub repo: String,
    pub base: Option<String>,
    pub head: Option<String>,
    pub prompt: String,
    pub setup_command: Option<String>,
    pub test_command: Option<String>,
    pub delivery: Option<Delivery>,
    pub model: Option<String>,
    pub state: JobState,
    pub attempt: Attempt,
    pub outcome: Option<Outcome>,
    pub exit_reason: Option<ExitReason>,
    pub error: Option<String>,
    /// What its error has in common with those of other jobs; of a failed or dead job.
    pub fingerprint: Option<String>,
    /// When somebody took it off the list of dead letters.
    pub acknowledged_at: Option<Timestamp>,
    pub acknowledged_by: Option<String>,
    pub cancel_requested: bool,
    pub worker: Option<WorkerId>,
    pub created_at: Timestamp,
    pub run_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Whether its mode is paused.
    pub paused: bool,
    /// What it waits for, while it cannot be claimed yet.
    pub waiting: Option<Waiting>,
    /// The spent budget that it waits for, while it is queued.
    pub budget_stop: Option<BudgetStop>,
    /// Model calls that were answered.
    pub steps: i64,
    /// Open reservations at their worst case included.
    pub cost: Money,
    pub usage: Usage,
    /// The models that answered, as they name themselves.
    pub models: Vec<String>,
}

/// One model call as the ledger has it.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)] // the columns of codeteam.calls
pub struct CallRow {
    pub attempt: Attempt,
    pub call: i32,
    pub asked_at: Timestamp,
    pub model: String,
    pub cost: Money,
    pub settled: bool,
    pub basis: String,
    pub usage: Usage,
}

impl Database {
    /// The newest jobs that the filter lets through, at most `most`.
    pub async fn jobs(&self, filter: JobFilter, most: i64) -> Result<Vec<JobRow>, StoreError> {
        let states: Vec<&str> = filter
            .state
            .as_ref()
            .map_or(JobState::ALL, std::slice::from_ref)
            .iter()
            .map(|s| s.as_str())
            .collect();
        let modes: Vec<&str> =
            filter.mode.as_ref().map_or(Mode::ALL, std::slice::from_ref).iter().map(|m| m.as_str()).collect();
        let id = filter.id.map(|id| id.0);
        let (before, before_id) = filter.before.map(|(at, id)| (at, id.0)).unzip();
        let params: [Param<'_>; 6] = [
            (&id, Type::UUID),
            (&states, Type::TEXT_ARRAY),
            (&modes, Type::TEXT_ARRAY),
            (&before, Type::TIMESTAMPTZ),
            (&before_id, Type::UUID),
            (&most, Type::INT8),
        ];
        self.query(include_str!("../queries/jobs.sql"), &params).await?.iter().map(job).collect()
    }

    /// One job.
    pub async fn job(&self, id: JobId) -> Result<JobRow, StoreError> {
        let found = self.jobs(JobFilter { id: Some(id), ..JobFilter::default() }, 1).await?;
        found.into_iter().next().ok_or_else(|| StoreError::UnknownJob(format!("there is no job {id}")))
    }

    /// The job whose id starts with `prefix`, so that a person can type eight characters of it.
    pub async fn find_job(&self, prefix: &str) -> Result<JobId, StoreError> {
        let Some((first, last)) = ids_from(prefix) else {
            return Err(StoreError::UnknownJob(format!(
                "{prefix:?} is no job id: give at least its first 4 characters"
            )));
        };
        let params: [Param<'_>; 2] = [(&first, Type::UUID), (&last, Type::UUID)];
        let rows = self.query(include_str!("../queries/find_job.sql"), &params).await?;
        match rows.as_slice() {
            [row] => Ok(JobId(row.get(0))),
            [] => Err(StoreError::UnknownJob(format!("there is no job {prefix}"))),
            _ => Err(StoreError::UnknownJob(format!(
                "more than one job starts with {prefix}: give more of its id"
            ))),
        }
    }

    /// What a job's model calls cost.
    pub async fn calls(&self, id: JobId) -> Result<Vec<CallRow>, StoreError> {
        let rows = self.query(include_str!("../queries/calls.sql"), &[(&id.0, Type::UUID)]).await?;
        let call = |row: &Row| {
            Ok(CallRow {
                attempt: Attempt(cell(row, "attempt")?),
                call: cell(row, "call")?,
                asked_at: cell(row, "asked_at")?,
                model: cell(row, "model")?,
                cost: Money(cell(row, "cost_micros")?),
                settled: cell(row, "settled")?,
                basis: cell(row, "basis")?,
                usage: usage(row)?,
            })
        };
        rows.iter().map(call).collect()
    }
}

/// A part of the ledger, added up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct CostRow {
    /// What was added up: `total`, `model` or `repository`.
    pub of: String,
    /// The model's or repository's name; empty for the total.
    pub name: String,
    pub jobs: i64,
    pub calls: i64,
    /// Calls that are not settled stand in it at their worst case.
    pub cost: Money,
    pub usage: Usage,
}

impl Database {
    /// The whole ledger added up: in all, by model and by repository, dearest first.
    pub async fn costs(&self) -> Result<Vec<CostRow>, StoreError> {
        let rows = self.query(include_str!("../queries/costs.sql"), &[]).await?;
        let sum = |row: &Row| {
            Ok(CostRow {
                of: cell(row, "of")?,
                name: cell(row, "name")?,
                jobs: cell(row, "jobs")?,
                calls: cell(row, "calls")?,
                cost: Money(cell(row, "cost_micros")?),
                usage: usage(row)?,
            })
        };
        rows.iter().map(sum).collect()
    }
}

fn job(row: &Row) -> Result<JobRow, StoreError> {
    let word = |column| cell::<Option<&str>>(row, column);
    Ok(JobRow {
        id: JobId(cell(row, "id")?),
        mode: read(cell(row, "mode")?)?,
        task: read(cell(row, "task")?)?,
        repo: cell(row, "repo")?,
        base: cell(row, "base")?,
        head: cell(row, "head")?,
        prompt: cell(row, "prompt")?,
        setup_command: cell(row, "setup_command")?,
        test_command: cell(row, "test_command")?,
        delivery: word("delivery")?.map(read).transpose()?,
        model: cell(row, "model")?,
        state: read(cell(row, "state")?)?,
        attempt: Attempt(cell(row, "attempt")?),
        outcome: word("outcome")?.map(read).transpose()?,
        exit_reason: word("exit_reason")?.map(read).transpose()?,
        error: cell(row, "error")?,
        fingerprint: cell(row, "fingerprint")?,
        acknowledged_at: cell(row, "acknowledged_at")?,
        acknowledged_by: cell(row, "acknowledged_by")?,
        cancel_requested: cell(row, "cancel_requested")?,
        worker: cell::<Option<uuid::Uuid>>(row, "worker_id")?.map(WorkerId),
        created_at: cell(row, "created_at")?,
        run_at: cell(row, "run_at")?,
        started_at: cell(row, "started_at")?,
        finished_at: cell(row, "finished_at")?,
        paused: cell(row, "paused")?,
        waiting: Waiting::of(row)?,
        budget_stop: cell::<Option<bool>>(row, "stop_all")?
            .map(|all| Ok::<_, StoreError>(BudgetStop { all, opens_at: cell(row, "stop_opens_at")? }))
            .transpose()?,
        steps: cell(row, "steps")?,
        cost: Money(cell(row, "cost_micros")?),
        usage: usage(row)?,
        models: cell(row, "models")?,
    })
}

fn usage(row: &Row) -> Result<Usage, StoreError> {
    let count = |column| cell::<i64>(row, column).map(i64::unsigned_abs);
    Ok(Usage {
        uncached: count("uncached")?,
        cache_read: count("cache_read")?,
        cache_write_5m: count("cache_write_5m")?,
        cache_write_1h: count("cache_write_1h")?,
        output: count("output")?,
        reasoning: count("reasoning")?,
    })
}

/// Follows one job's events: each exactly once and in order, however often the connection breaks.
pub struct ReadEvents {
    database: Arc<Database>,
    job: JobId,
    last_seq: i64,
    doorbell: Doorbell,
}

impl ReadEvents {
    /// Follows `job` from the event after `after_seq` (0: from its first).
    pub fn new(database: Arc<Database>, job: JobId, after_seq: i64) -> ReadEvents {
        let doorbell = Doorbell::new(database.clone(), Topic::Events(job, after_seq), uuid::Uuid::new_v4());
        ReadEvents { database, job, last_seq: after_seq, doorbell }
    }

    /// The next events; waits until there are some. May be dropped at any await and called again.
    pub async fn next(&mut self) -> Result<Vec<EventRecord>, StoreError> {
        loop {
            match self.database.events(self.job, self.last_seq, 500).await {
                Ok(events) => {
                    if let Some(last) = events.last() {
                        self.last_seq = last.seq;
                        return Ok(events);
                    }
                }
                // The doorbell waits for the database to come back.
                Err(error) if error.is_transient() => tracing::warn!(%error, "the events are out of reach"),
                Err(error) => return Err(error),
            }
            self.doorbell.set_topic(Topic::Events(self.job, self.last_seq));
            self.doorbell.sleep().await?;
        }
    }

    /// Ends the watch, so that new events stop ringing for it.
    pub async fn close(mut self) -> Result<(), StoreError> {
        self.doorbell.wake().await
    }
}
