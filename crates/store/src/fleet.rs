//! Workers that come and go, and modes that are paused.

use std::time::Duration;

use domain::{JobId, Mode, WorkerId};
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::types::Type;

use crate::database::Param;
use crate::row::{cell, one, read};
use crate::{Database, StoreError};

/// What a worker says of itself when it starts.
#[derive(Clone, Debug)]
pub struct NewWorker<'a> {
    /// New for each run of the process.
    pub id: WorkerId,
    /// The jobs that it takes.
    pub mode: Mode,
    /// Where it runs.
    pub host: &'a str,
    /// Its process there.
    pub pid: u32,
    /// Of the program.
    pub version: &'a str,
    /// The level that its sandbox proved.
    pub sandbox: &'a str,
    /// How long it holds its jobs without a word from it: [`crate::LEASE`]. From 1 ms to an hour.
    pub lease: Duration,
}

/// A worker that is there.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)] // as in NewWorker
pub struct WorkerRow {
    pub id: WorkerId,
    pub mode: Mode,
    pub host: String,
    pub pid: i32,
    pub version: String,
    pub sandbox: String,
    pub started_at: Timestamp,
    pub heartbeat_at: Timestamp,
    /// None: it is idle.
    pub job: Option<JobId>,
}

/// A mode whose jobs wait until somebody resumes it.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Pause {
    pub mode: Mode,
    pub since: Timestamp,
    pub reason: String,
}

impl Database {
    /// Pauses a mode: its jobs wait, those at work are finished. Said again, it changes the reason.
    pub async fn pause(&self, mode: Mode, reason: &str) -> Result<(), StoreError> {
        let mode = mode.as_str();
        let params: [Param<'_>; 2] = [(&mode, Type::TEXT), (&reason, Type::TEXT)];
        self.query(include_str!("../queries/pause_mode.sql"), &params).await.map(drop)
    }

    /// Lets a mode go on. False: it was not paused.
    pub async fn resume(&self, mode: Mode) -> Result<bool, StoreError> {
        let rows =
            self.query(include_str!("../queries/resume_mode.sql"), &[(&mode.as_str(), Type::TEXT)]).await?;
        cell(one(&rows)?, "resume_mode")
    }

    /// The modes that are paused, the longest first.
    pub async fn pauses(&self) -> Result<Vec<Pause>, StoreError> {
        let rows = self.query(include_str!("../queries/pauses.sql"), &[]).await?;
        let pause = |row: &tokio_postgres::Row| {
            Ok(Pause {
                mode: read(cell(row, "mode")?)?,
                since: cell(row, "since")?,
                reason: cell(row, "reason")?,
            })
        };
        rows.iter().map(pause).collect()
    }

    /// Lists a worker as being there.
    pub async fn register_worker(&self, worker: &NewWorker<'_>) -> Result<(), StoreError> {
        let (mode, pid) = (worker.mode.as_str(), i32::try_from(worker.pid).unwrap_or(0));
        let lease_ms = i32::try_from(worker.lease.as_millis()).unwrap_or(i32::MAX);
        let params: [Param<'_>; 7] = [
            (&worker.id.0, Type::UUID),
            (&mode, Type::TEXT),
            (&worker.host, Type::TEXT),
            (&pid, Type::INT4),
            (&worker.version, Type::TEXT),
            (&worker.sandbox, Type::TEXT),
            (&lease_ms, Type::INT4),
        ];
        self.query(include_str!("../queries/register_worker.sql"), &params).await?;
        Ok(())
    }

    /// Lists a worker as gone.
    pub async fn retire_worker(&self, worker: WorkerId) -> Result<(), StoreError> {
        self.query(include_str!("../queries/retire_worker.sql"), &[(&worker.0, Type::UUID)]).await?;
        Ok(())
    }

    /// The workers that are there.
    pub async fn workers(&self) -> Result<Vec<WorkerRow>, StoreError> {
        let rows = self.query(include_str!("../queries/workers.sql"), &[]).await?;
        rows.iter()
            .map(|row| {
                Ok(WorkerRow {
                    id: WorkerId(row.get("id")),
                    mode: read(row.get("mode"))?,
                    host: row.get("host"),
                    pid: row.get("pid"),
                    version: row.get("version"),
                    sandbox: row.get("sandbox"),
                    started_at: row.get("started_at"),
                    heartbeat_at: row.get("heartbeat_at"),
                    job: row.get::<_, Option<uuid::Uuid>>("job_id").map(JobId),
                })
            })
            .collect()
    }
}
