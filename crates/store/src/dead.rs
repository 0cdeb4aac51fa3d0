//! Dead letters: the failed and dead jobs that nobody has acknowledged. Listed one by one or grouped by their error, retried and
//! acknowledged one by one or by a selection.
//!
//! A selection is worked off in bounded calls, each a transaction of its own: what was done before an error stays done. Its end is
//! the moment at which it began, so that a job that fails again meanwhile is not taken up twice.

use domain::{Attempt, ExitReason, JobChanges, JobId, JobState, Mode, Task};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::database::Param;
use crate::row::{cell, one, read};
use crate::{Database, StoreError};

/// Which dead letters are meant. None everywhere: all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // the columns of codeteam.jobs
pub struct DeadSelection {
    /// Failed or dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<JobState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// As the jobs have it, to the letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_reason: Option<ExitReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<JobId>>,
}

impl DeadSelection {
    fn to_json(&self) -> Result<Value, StoreError> {
        serde_json::to_value(self).map_err(|error| StoreError::Invalid(error.to_string()))
    }
}

/// Dead letters that ended by the same error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadGroup {
    /// What the errors have in common: 16 hexadecimal digits.
    pub fingerprint: String,
    /// How many there are.
    pub jobs: i64,
    /// In how many repositories.
    pub repos: i64,
    /// When the latest of them ended.
    pub latest: Timestamp,
    /// That one.
    pub example: JobId,
    /// Its reason.
    pub exit_reason: ExitReason,
    /// Its error.
    pub error: Option<String>,
}

/// One dead letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // the columns of codeteam.jobs
pub struct DeadLetter {
    pub id: JobId,
    pub state: JobState,
    pub mode: Mode,
    pub task: Task,
    pub repo: String,
    pub attempt: Attempt,
    pub exit_reason: ExitReason,
    pub error: Option<String>,
    pub fingerprint: String,
    pub finished_at: Timestamp,
}

/// What became of a selection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// So many were retried or acknowledged; in a dry run, none.
    pub changed: i64,
    /// So many are left that could be: in a dry run all of them, else those that somebody else was at.
    pub remaining: i64,
    /// So many were not retried, because a job that is open has their dedupe key.
    pub held_back: i64,
}

impl Database {
    /// Dead letters by their errors, the most frequent first, at most `most` groups.
    pub async fn dead_groups(
        &self,
        selection: &DeadSelection,
        most: i32,
    ) -> Result<Vec<DeadGroup>, StoreError> {
        let selection = selection.to_json()?;
        let params: [Param<'_>; 2] = [(&selection, Type::JSONB), (&most, Type::INT4)];
        self.query(include_str!("../queries/group_dead.sql"), &params).await?.iter().map(group).collect()
    }

    /// Dead letters, the latest first, at most `most`.
    pub async fn dead_letters(
        &self,
        selection: &DeadSelection,
        most: i32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let selection = selection.to_json()?;
        let params: [Param<'_>; 2] = [(&selection, Type::JSONB), (&most, Type::INT4)];
        self.query(include_str!("../queries/list_dead.sql"), &params).await?.iter().map(letter).collect()
    }

    /// Takes a failed or dead job off the list: `by` has seen it. False: somebody had done so before.
    pub async fn acknowledge(&self, job: JobId, by: &str) -> Result<bool, StoreError> {
        let params: [Param<'_>; 2] = [(&job.0, Type::UUID), (&by, Type::TEXT)];
        let rows = self.query(include_str!("../queries/acknowledge_job.sql"), &params).await?;
        Ok(one(&rows)?.get(0))
    }

    /// Takes a selection off the list; a dry run only counts it.
    pub async fn acknowledge_all(
        &self,
        selection: &DeadSelection,
        by: &str,
        dry_run: bool,
    ) -> Result<Swept, StoreError> {
        let call = async |selection: Value| {
            let params: [Param<'_>; 3] =
                [(&selection, Type::JSONB), (&by, Type::TEXT), (&dry_run, Type::BOOL)];
            self.query(include_str!("../queries/acknowledge_jobs.sql"), &params).await
        };
        sweep(selection, dry_run, call).await
    }

    /// Puts a selection back into the queue, as [`Database::retry`] does one job, with the same changes for all; a dry run only
    /// counts it.
    pub async fn retry_all(
        &self,
        selection: &DeadSelection,
        changes: &JobChanges,
        dry_run: bool,
    ) -> Result<Swept, StoreError> {
        let changes = Value::Object(changes.to_json());
        let call = async |selection: Value| {
            let params: [Param<'_>; 3] =
                [(&selection, Type::JSONB), (&changes, Type::JSONB), (&dry_run, Type::BOOL)];
            self.query(include_str!("../queries/retry_jobs.sql"), &params).await
        };
        sweep(selection, dry_run, call).await
    }
}

/// Calls again and again, until a call finds nothing more to change.
async fn sweep(
    selection: &DeadSelection,
    dry_run: bool,
    call: impl AsyncFn(Value) -> Result<Vec<Row>, StoreError>,
) -> Result<Swept, StoreError> {
    let mut selection = selection.clone();
    let mut total = 0;
    loop {
        let rows = call(selection.to_json()?).await?;
        let row = one(&rows)?;
        let (changed, remaining): (i64, i64) = (cell(row, "changed")?, cell(row, "remaining")?);
        total += changed;
        if dry_run || changed == 0 || remaining == 0 {
            let held_back = row.try_get("held_back").unwrap_or(0);
            return Ok(Swept { changed: total, remaining, held_back });
        }
        let began: Timestamp = cell(row, "as_of")?;
        let end = selection.finished_before.map_or(began, |end| end.min(began));
        selection.finished_before = Some(end);
    }
}

fn group(row: &Row) -> Result<DeadGroup, StoreError> {
    Ok(DeadGroup {
        fingerprint: cell(row, "fingerprint")?,
        jobs: cell(row, "jobs")?,
        repos: cell(row, "repos")?,
        latest: cell(row, "latest")?,
        example: JobId(cell(row, "example")?),
        exit_reason: read(cell(row, "exit_reason")?)?,
        error: cell(row, "error")?,
    })
}

fn letter(row: &Row) -> Result<DeadLetter, StoreError> {
    Ok(DeadLetter {
        id: JobId(cell(row, "id")?),
        state: read(cell(row, "state")?)?,
        mode: read(cell(row, "mode")?)?,
        task: read(cell(row, "task")?)?,
        repo: cell(row, "repo")?,
        attempt: Attempt(cell(row, "attempt")?),
        exit_reason: read(cell(row, "exit_reason")?)?,
        error: cell(row, "error")?,
        fingerprint: cell(row, "fingerprint")?,
        finished_at: cell(row, "finished_at")?,
    })
}
