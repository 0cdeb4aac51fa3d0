//! Workers that come and go, what the scaler sees of them, and what it decided.

use std::time::Duration;

use domain::{JobId, Mode, WorkerId};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
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

/// The queue of one mode at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ModeObservation {
    /// Jobs that a worker could start now, expired leases among them; of a group as many as it has room for. This and the
    /// next five are counted up to 1,000.
    pub ready: u32,
    /// Queued jobs that nothing holds back but the pause of their mode.
    pub paused: u32,
    /// Queued jobs whose time has not come.
    pub for_time: u32,
    /// Queued jobs that wait for others.
    pub for_jobs: u32,
    /// Queued jobs whose group is full.
    pub for_group: u32,
    /// Queued jobs whose budget is spent.
    pub for_budget: u32,
    /// Jobs under a live lease.
    pub running: u32,
    /// Workers that hold one of those.
    pub busy: u32,
    /// Since when the oldest ready job is ready.
    pub oldest_ready: Option<Duration>,
    /// When the next job becomes ready by itself.
    pub next_due: Option<Duration>,
}

/// Both queues, from one snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Observation {
    pub mechanic: ModeObservation,
    pub genius: ModeObservation,
}

impl Observation {
    /// The queue of `mode`.
    pub fn of(&self, mode: Mode) -> &ModeObservation {
        match mode {
            Mode::Mechanic => &self.mechanic,
            Mode::Genius => &self.genius,
        }
    }
}

/// A change of the scaler's mind.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Decision {
    pub at: Timestamp,
    pub service: String,
    pub previous: i32,
    pub target: i32,
    pub reason: String,
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

    /// What the scaler decides from.
    pub async fn observe(&self) -> Result<Observation, StoreError> {
        let rows = self.query(include_str!("../queries/observe.sql"), &[]).await?;
        let mut observation = Observation::default();
        for row in &rows {
            let count = |column| u32::try_from(row.get::<_, i64>(column)).unwrap_or(u32::MAX);
            let span = |column| {
                row.get::<_, Option<i64>>(column).map(|ms| Duration::from_millis(ms.max(0).unsigned_abs()))
            };
            let seen = ModeObservation {
                ready: count("ready"),
                paused: count("paused"),
                for_time: count("for_time"),
                for_jobs: count("for_jobs"),
                for_group: count("for_group"),
                for_budget: count("for_budget"),
                running: count("running"),
                busy: count("busy"),
                oldest_ready: span("oldest_ready_ms"),
                next_due: span("next_due_ms"),
            };
            match read::<Mode>(row.get("mode"))? {
                Mode::Mechanic => observation.mechanic = seen,
                Mode::Genius => observation.genius = seen,
            }
        }
        Ok(observation)
    }

    /// The workers that hold a job, and must not be stopped.
    pub async fn busy_workers(&self) -> Result<Vec<WorkerId>, StoreError> {
        let rows = self.query(include_str!("../queries/busy_workers.sql"), &[]).await?;
        Ok(rows.iter().map(|row| WorkerId(row.get(0))).collect())
    }

    /// Those of `among` whose leases ran out with a job in their hands, or that have been silent for very long.
    pub async fn silent_workers(&self, among: &[WorkerId]) -> Result<Vec<WorkerId>, StoreError> {
        let among: Vec<uuid::Uuid> = among.iter().map(|worker| worker.0).collect();
        let params: [Param<'_>; 1] = [(&among, Type::UUID_ARRAY)];
        let rows = self.query(include_str!("../queries/silent_workers.sql"), &params).await?;
        Ok(rows.iter().map(|row| WorkerId(row.get(0))).collect())
    }

    /// Writes down a change of mind, with what it was made from.
    pub async fn record_decision(
        &self,
        service: &str,
        (previous, target): (u32, u32),
        reason: &str,
        observation: &Value,
    ) -> Result<(), StoreError> {
        let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let params: [Param<'_>; 5] = [
            (&service, Type::TEXT),
            (&count(previous), Type::INT4),
            (&count(target), Type::INT4),
            (&reason, Type::TEXT),
            (observation, Type::JSONB),
        ];
        self.query(include_str!("../queries/record_decision.sql"), &params).await?;
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

    /// The scaler's latest decisions, newest first.
    pub async fn decisions(&self, most: i64) -> Result<Vec<Decision>, StoreError> {
        let rows = self.query(include_str!("../queries/decisions.sql"), &[(&most, Type::INT8)]).await?;
        let decision = |row: &tokio_postgres::Row| Decision {
            at: row.get("at"),
            service: row.get("service"),
            previous: row.get("previous"),
            target: row.get("target"),
            reason: row.get("reason"),
        };
        Ok(rows.iter().map(decision).collect())
    }
}
