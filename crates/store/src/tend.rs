//! What the scaler does for jobs that are stuck, workers that are lost and wakes that are under way: `sql/functions/tend.sql`.

use std::time::Duration;

use tokio_postgres::types::Type;

use crate::row::{cell, one};
use crate::{Database, StoreError};

/// What one tending did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tended {
    /// Stuck jobs that are queued again.
    pub requeued: u32,
    /// Stuck jobs that are dead, or whose end had been asked for.
    pub dead: u32,
    /// Jobs that were taken back from silent workers.
    pub lost: u32,
    /// Wakes whose job nobody has claimed yet.
    pub open_wakes: u32,
}

impl Database {
    /// Takes back jobs that run for longer than `sla` (1 s to 7 days) and those of silent workers, and follows open wakes.
    pub async fn tend(&self, sla: Duration) -> Result<Tended, StoreError> {
        let sla_ms = i64::try_from(sla.as_millis()).unwrap_or(i64::MAX);
        let rows = self.query(include_str!("../queries/tend.sql"), &[(&sla_ms, Type::INT8)]).await?;
        let row = one(&rows)?;
        let count = |column| Ok::<_, StoreError>(cell::<i32>(row, column)?.max(0).unsigned_abs());
        Ok(Tended {
            requeued: count("requeued")?,
            dead: count("dead")?,
            lost: count("lost")?,
            open_wakes: count("open_wakes")?,
        })
    }
}
