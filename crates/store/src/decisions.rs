//! What the scaler decided and why, and how each wake of the fleet went.

use std::time::Duration;

use domain::{JobId, Mode};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::database::Param;
use crate::row::{cell, one};
use crate::{Database, StoreError};

/// A change of the scaler's mind. One that woke a fleet from nothing has the phases of that wake, each None until it has come.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    /// When it was decided.
    pub at: Timestamp,
    /// As ECS knows it: `mechanic-worker` or `genius-worker`.
    pub service: String,
    /// Workers before.
    pub previous: i32,
    /// Workers from now on.
    pub target: i32,
    /// A sentence.
    pub reason: String,
    /// The job that a wake was for: the head of its line.
    pub job: Option<JobId>,
    /// Since when that job was ready.
    pub queued_at: Option<Timestamp>,
    /// When whoever starts workers had taken the target; of every decision.
    pub called_at: Option<Timestamp>,
    /// When the first worker that was started since was heard of.
    pub first_heartbeat_at: Option<Timestamp>,
    /// When the job was claimed.
    pub claimed_at: Option<Timestamp>,
}

impl Database {
    /// Writes down a change of mind that was made `ago`, with what it was made from. Gives its number.
    pub async fn record_decision(
        &self,
        mode: Mode,
        (previous, target): (u32, u32),
        reason: &str,
        observation: &Value,
        ago: Duration,
    ) -> Result<i64, StoreError> {
        let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let service = mode.service();
        let params: [Param<'_>; 6] = [
            (&service, Type::TEXT),
            (&count(previous), Type::INT4),
            (&count(target), Type::INT4),
            (&reason, Type::TEXT),
            (observation, Type::JSONB),
            (&millis(ago), Type::INT8),
        ];
        let rows = self.query(include_str!("../queries/record_decision.sql"), &params).await?;
        cell(one(&rows)?, "record_decision")
    }

    /// Writes down that whoever starts workers took a decision's target, `ago`. Said again, it changes nothing.
    pub async fn decision_called(&self, decision: i64, ago: Duration) -> Result<(), StoreError> {
        let params: [Param<'_>; 2] = [(&decision, Type::INT8), (&millis(ago), Type::INT8)];
        self.query(include_str!("../queries/decision_called.sql"), &params).await.map(drop)
    }

    /// The scaler's latest decisions, newest first.
    pub async fn decisions(&self, most: i64) -> Result<Vec<Decision>, StoreError> {
        let rows = self.query(include_str!("../queries/decisions.sql"), &[(&most, Type::INT8)]).await?;
        let decision = |row: &Row| {
            Ok(Decision {
                at: cell(row, "at")?,
                service: cell(row, "service")?,
                previous: cell(row, "previous")?,
                target: cell(row, "target")?,
                reason: cell(row, "reason")?,
                job: cell::<Option<uuid::Uuid>>(row, "job_id")?.map(JobId),
                queued_at: cell(row, "queued_at")?,
                called_at: cell(row, "called_at")?,
                first_heartbeat_at: cell(row, "first_heartbeat_at")?,
                claimed_at: cell(row, "claimed_at")?,
            })
        };
        rows.iter().map(decision).collect()
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
