//! What happens to a fleet beside decisions: jobs that are stuck, workers that are lost, troubles. For people.

use domain::Mode;
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::database::Param;
use crate::row::{cell, read};
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

impl Database {
    /// Writes down that somebody else changed a fleet's capacity: `message` is a sentence.
    pub async fn capacity_drifted(&self, scaler: Uuid, mode: Mode, message: &str) -> Result<(), StoreError> {
        let params: [Param<'_>; 3] =
            [(&scaler, Type::UUID), (&mode.as_str(), Type::TEXT), (&message, Type::TEXT)];
        self.query(include_str!("../queries/capacity_drifted.sql"), &params).await.map(drop)
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
