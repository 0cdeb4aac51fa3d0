//! What is to be published as metrics, in batches that count everything once: `sql/functions/measurements.sql`.

use std::time::Duration;

use domain::Mode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::database::Param;
use crate::row::{cell, one};
use crate::{Database, StoreError};

/// What was counted since the batch before.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Grows by one with each batch; a number that is missing was never given out.
    pub id: i64,
    /// When it was made.
    pub at: Timestamp,
    /// How long ago it was last given out to be published, or tried again.
    pub tried: Duration,
    /// False: it was made before, by this scaler or another, and may have been published.
    pub fresh: bool,
    /// At most one of each mode and kind.
    pub series: Vec<Series>,
}

/// The measurements of one kind.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Series {
    /// Whose.
    pub mode: Mode,
    /// Which kind: succeeded, failed (ms from claim to end), call (tokens at full rate), wake (ms), job_stuck, worker_lost (1 each).
    pub what: String,
    /// Means of neighbouring values, ascending; at most 200.
    pub values: Vec<f64>,
    /// How often each was measured.
    pub counts: Vec<f64>,
}

impl Database {
    /// The next batch to publish. None: this scaler does not lead in this epoch.
    pub async fn measure(&self, scaler: Uuid, epoch: i64) -> Result<Option<Batch>, StoreError> {
        let params: [Param<'_>; 2] = [(&scaler, Type::UUID), (&epoch, Type::INT8)];
        let rows = self.query(include_str!("../queries/measure.sql"), &params).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let series = serde_json::from_value(cell::<Value>(row, "data")?)
            .map_err(|error| StoreError::Unreadable(format!("a batch of metrics: {error}")))?;
        Ok(Some(Batch {
            id: cell(row, "batch")?,
            at: cell(row, "at")?,
            tried: Duration::from_millis(cell::<i64>(row, "tried_ms")?.max(0).unsigned_abs()),
            fresh: cell(row, "fresh")?,
            series,
        }))
    }

    /// A batch is about to be published once more. False: this scaler does not lead any more, and must not.
    pub async fn batch_tried(&self, scaler: Uuid, epoch: i64, batch: i64) -> Result<bool, StoreError> {
        let params: [Param<'_>; 3] = [(&scaler, Type::UUID), (&epoch, Type::INT8), (&batch, Type::INT8)];
        let rows = self.query(include_str!("../queries/batch_tried.sql"), &params).await?;
        cell(one(&rows)?, "batch_tried")
    }

    /// A batch is published, and done with.
    pub async fn batch_published(&self, batch: i64) -> Result<(), StoreError> {
        self.query(include_str!("../queries/batch_published.sql"), &[(&batch, Type::INT8)]).await.map(drop)
    }
}
