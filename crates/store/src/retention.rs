//! History that leaves when it is old.

use std::time::Duration;

use serde::Serialize;
use tokio_postgres::types::Type;

use crate::database::Param;
use crate::row::{cell, one};
use crate::{Database, StoreError};

/// One batch of old history that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SweptBatch {
    /// Jobs that were deleted.
    pub jobs: u64,
    /// Their events.
    pub events: u64,
    /// Whether there may be more to delete now.
    pub more: bool,
    /// Until the next job will be due. None: none is in sight.
    pub next_due: Option<Duration>,
}

impl Database {
    /// Deletes one batch of what finished more than `keep_days` days ago, oldest first: at most `most` jobs and about `most_events`
    /// events (a job leaves whole, with however many it has). Dead jobs that nobody has acknowledged stay, and so does the ledger.
    pub async fn sweep_history(
        &self,
        keep_days: u32,
        most: u32,
        most_events: u32,
    ) -> Result<SweptBatch, StoreError> {
        let integer = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let (days, most, most_events) = (integer(keep_days), integer(most), integer(most_events));
        let params: [Param<'_>; 3] = [(&days, Type::INT4), (&most, Type::INT4), (&most_events, Type::INT4)];
        let rows = self.query(include_str!("../queries/sweep_history.sql"), &params).await?;
        let row = one(&rows)?;
        let next_due: Option<i64> = cell(row, "next_due_ms")?;
        Ok(SweptBatch {
            jobs: cell::<i64>(row, "jobs")?.unsigned_abs(),
            events: cell::<i64>(row, "events")?.unsigned_abs(),
            more: cell(row, "more")?,
            next_due: next_due.map(|ms| Duration::from_millis(ms.max(0).unsigned_abs())),
        })
    }
}
