//! What the queue had to do of late, for those who simulate it.

use std::time::Duration;

use domain::Mode;
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::types::Type;

use crate::database::Param;
use crate::row::{cell, read};
use crate::{Database, StoreError};

/// A job of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PastJob {
    /// Whose it was.
    pub mode: Mode,
    /// When a worker could have begun: when it was made, or its `run_at` if that was later.
    pub ready_at: Timestamp,
    /// For how long its last attempt ran; None: it has not ended, or nobody began.
    pub worked: Option<Duration>,
}

impl Database {
    /// The jobs of the last `days`, by the time at which they were ready; of each state and mode the newest `most`.
    pub async fn past_jobs(&self, days: u32, most: u32) -> Result<Vec<PastJob>, StoreError> {
        let (days, most) = (i32::try_from(days).unwrap_or(i32::MAX), i64::from(most));
        let params: [Param<'_>; 2] = [(&days, Type::INT4), (&most, Type::INT8)];
        let rows = self.query(include_str!("../queries/past_jobs.sql"), &params).await?;
        let job = |row: &tokio_postgres::Row| {
            let worked: Option<i64> = cell(row, "worked_ms")?;
            Ok(PastJob {
                mode: read(cell(row, "mode")?)?,
                ready_at: cell(row, "ready_at")?,
                worked: worked.map(|ms| Duration::from_millis(ms.unsigned_abs())),
            })
        };
        rows.iter().map(job).collect()
    }
}
