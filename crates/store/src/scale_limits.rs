//! The bounds of each mode's fleet: what the scaler was started with, and what a person has set since.

use domain::Mode;
use jiff::Timestamp;
use serde::Serialize;
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::database::Param;
use crate::row::{cell, one, read};
use crate::{Database, StoreError};

/// Bounds of a fleet; None where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FleetLimits {
    /// Workers at least, 0 to 1,000.
    pub min: Option<u32>,
    /// Workers at most, 0 to 1,000.
    pub max: Option<u32>,
    /// Workers at least while there is work, 0 to 1,000.
    pub floor: Option<u32>,
    /// For so long fewer must have been enough, up to a day.
    #[serde(rename = "cool_down_ms", serialize_with = "millis")]
    pub cool_down: Option<Duration>,
    /// Ready jobs for which one more worker is started, 1 to 1,000.
    pub jobs_per_worker: Option<u32>,
}

/// What holds for a fleet now.
#[derive(Clone, Debug, Serialize)]
pub struct LimitsInForce {
    /// Whose.
    pub mode: Mode,
    /// None: no scaler has run on this database yet, and nobody has set it.
    #[serde(flatten)]
    pub limits: FleetLimits,
    /// Which of them a person has set, by their names.
    pub limits_set: Vec<String>,
    /// Since when capacity stays as it is. None: it follows the work.
    pub paused_at: Option<Timestamp>,
    /// Why.
    pub paused_reason: String,
}

impl Database {
    /// The scaler says with which limits it was started: all of them.
    pub async fn announce_limits(&self, mode: Mode, limits: &FleetLimits) -> Result<(), StoreError> {
        self.say_limits(include_str!("../queries/announce_limits.sql"), mode, limits).await
    }

    /// A person sets limits; what is None stays. [`StoreError::Invalid`] when they cannot all hold.
    pub async fn set_limits(&self, mode: Mode, limits: &FleetLimits) -> Result<(), StoreError> {
        self.say_limits(include_str!("../queries/set_limits.sql"), mode, limits).await
    }

    async fn say_limits(
        &self,
        sql: &'static str,
        mode: Mode,
        limits: &FleetLimits,
    ) -> Result<(), StoreError> {
        let number = |n: Option<u32>| n.map(|n| i32::try_from(n).unwrap_or(i32::MAX));
        let cool_down_ms = limits.cool_down.map(|span| i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
        let params: [Param<'_>; 6] = [
            (&mode.as_str(), Type::TEXT),
            (&number(limits.min), Type::INT4),
            (&number(limits.max), Type::INT4),
            (&number(limits.floor), Type::INT4),
            (&cool_down_ms, Type::INT8),
            (&number(limits.jobs_per_worker), Type::INT4),
        ];
        self.query(sql, &params).await.map(drop)
    }

    /// The scaler's own limits hold again. False: nobody had set any.
    pub async fn clear_limits(&self, mode: Mode) -> Result<bool, StoreError> {
        let params: [Param<'_>; 1] = [(&mode.as_str(), Type::TEXT)];
        let rows = self.query(include_str!("../queries/clear_limits.sql"), &params).await?;
        cell(one(&rows)?, "clear_limits")
    }

    /// A fleet's capacity stays as it is.
    pub async fn pause_scaling(&self, mode: Mode, reason: &str) -> Result<(), StoreError> {
        let params: [Param<'_>; 2] = [(&mode.as_str(), Type::TEXT), (&reason, Type::TEXT)];
        self.query(include_str!("../queries/pause_scaling.sql"), &params).await.map(drop)
    }

    /// It follows the work again. False: it did.
    pub async fn resume_scaling(&self, mode: Mode) -> Result<bool, StoreError> {
        let params: [Param<'_>; 1] = [(&mode.as_str(), Type::TEXT)];
        let rows = self.query(include_str!("../queries/resume_scaling.sql"), &params).await?;
        cell(one(&rows)?, "resume_scaling")
    }

    /// The limits that hold now, mechanics first.
    pub async fn limits_in_force(&self) -> Result<Vec<LimitsInForce>, StoreError> {
        let rows = self.query(include_str!("../queries/scale_limits.sql"), &[]).await?;
        let limits = |row: &Row| {
            Ok(LimitsInForce {
                mode: read(cell(row, "mode")?)?,
                limits: fleet_limits(row)?,
                limits_set: cell(row, "limits_set")?,
                paused_at: cell(row, "paused_at")?,
                paused_reason: cell(row, "paused_reason")?,
            })
        };
        rows.iter().map(limits).collect()
    }
}

/// The bounds in a row that has them.
pub(crate) fn fleet_limits(row: &Row) -> Result<FleetLimits, StoreError> {
    let number =
        |column| Ok::<_, StoreError>(cell::<Option<i32>>(row, column)?.map(|n| n.max(0).unsigned_abs()));
    let cool_down = cell::<Option<i64>>(row, "cool_down_ms")?;
    Ok(FleetLimits {
        min: number("min")?,
        max: number("max")?,
        floor: number("floor")?,
        cool_down: cool_down.map(|ms| Duration::from_millis(ms.max(0).unsigned_abs())),
        jobs_per_worker: number("jobs_per_worker")?,
    })
}

#[allow(clippy::ref_option)] // as serde calls it
fn millis<S: serde::Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    span.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)).serialize(serializer)
}
