//! What happens to a fleet beside decisions: jobs that are stuck, workers that are lost, troubles. For people.

use std::time::Duration;

use domain::Mode;
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::row::{cell, one, read};
use crate::{Database, StoreError};

/// Something that happened to the fleet.
#[derive(Clone, Debug, Serialize)]
pub struct FleetEvent {
    /// When.
    pub at: Timestamp,
    /// Which kind, as in `sql/migrations/V19__scaling.sql`.
    pub kind: String,
    /// None: it is about both.
    pub mode: Option<Mode>,
    /// The worker, job or scaler that it is about.
    pub subject: Option<Uuid>,
    /// A sentence.
    pub message: String,
}

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

    /// The latest, newest first.
    pub async fn fleet_events(&self, most: i64) -> Result<Vec<FleetEvent>, StoreError> {
        let rows = self.query(include_str!("../queries/fleet_events.sql"), &[(&most, Type::INT8)]).await?;
        let event = |row: &Row| {
            Ok(FleetEvent {
                at: cell(row, "at")?,
                kind: cell(row, "kind")?,
                mode: cell::<Option<&str>>(row, "mode")?.map(read).transpose()?,
                subject: cell(row, "subject")?,
                message: cell(row, "message")?,
            })
        };
        rows.iter().map(event).collect()
    }
}
