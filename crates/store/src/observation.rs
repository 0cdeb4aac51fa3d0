//! What the scaler decides from and a dashboard shows: both queues and their workers, from one snapshot and one statement.

use std::collections::HashSet;
use std::time::Duration;

use domain::{Mode, WorkerId};
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::database::Param;
use crate::row::{cell, read};
use crate::scale_limits::fleet_limits;
use crate::{Database, FleetLimits, StoreError};

/// The queue of one mode and its workers at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// Running jobs that are over their SLA.
    pub stuck: u32,
    /// Jobs in line whose group is full, which a claim would have stepped out of it: many hide what stands behind them.
    pub in_the_way: u32,
    /// Workers that are there, lost ones among them.
    pub workers: u32,
    /// Workers that have been silent for two minutes.
    pub lost: u32,
    /// For how long the most silent of the workers that are there has been so. None: none is there.
    pub unheard: Option<Duration>,
    /// What holds for the fleet.
    pub limits: FleetLimits,
    /// Whether a person wants capacity to stay as it is.
    pub scaling_paused: bool,
    /// Workers that hold a job and must not be stopped.
    #[serde(skip)]
    pub busy_ids: HashSet<WorkerId>,
    /// Workers of those asked about whose leases ran out with a job in their hands, or that have been silent for very long.
    #[serde(skip)]
    pub silent_ids: HashSet<WorkerId>,
}

/// Both queues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Observation {
    #[allow(missing_docs)]
    pub mechanic: ModeObservation,
    #[allow(missing_docs)]
    pub genius: ModeObservation,
    /// Connections that the database's server has, of all its databases.
    pub connections: u32,
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

/// For so long a job may run before it is stuck, unless it has a longer time limit: the scaler's default, and for those who only look.
pub const DEFAULT_SLA: Duration = Duration::from_secs(600);

impl Database {
    /// Looks at both queues, as those do who only look.
    pub async fn observe(&self) -> Result<Observation, StoreError> {
        self.observe_among(&[], DEFAULT_SLA).await
    }

    /// Looks at both queues. `among`: the workers of which to say who hangs. A job that has run for longer than `sla` is stuck (one
    /// with a longer time limit of its own, a minute after that).
    pub async fn observe_among(&self, among: &[WorkerId], sla: Duration) -> Result<Observation, StoreError> {
        let among: Vec<Uuid> = among.iter().map(|worker| worker.0).collect();
        let sla_ms = i64::try_from(sla.as_millis()).unwrap_or(i64::MAX);
        let params: [Param<'_>; 2] = [(&among, Type::UUID_ARRAY), (&sla_ms, Type::INT8)];
        let rows = self.query(include_str!("../queries/observe.sql"), &params).await?;
        let mut observation = Observation::default();
        for row in &rows {
            observation.connections = count(row, "connections")?;
            let seen = mode_seen(row)?;
            match read::<Mode>(cell(row, "mode")?)? {
                Mode::Mechanic => observation.mechanic = seen,
                Mode::Genius => observation.genius = seen,
            }
        }
        Ok(observation)
    }
}

fn mode_seen(row: &Row) -> Result<ModeObservation, StoreError> {
    Ok(ModeObservation {
        ready: count(row, "ready")?,
        paused: count(row, "paused")?,
        for_time: count(row, "for_time")?,
        for_jobs: count(row, "for_jobs")?,
        for_group: count(row, "for_group")?,
        for_budget: count(row, "for_budget")?,
        running: count(row, "running")?,
        busy: count(row, "busy")?,
        oldest_ready: span(row, "oldest_ready_ms")?,
        next_due: span(row, "next_due_ms")?,
        stuck: count(row, "stuck")?,
        in_the_way: count(row, "in_the_way")?,
        workers: count(row, "workers")?,
        lost: count(row, "lost")?,
        unheard: span(row, "unheard_ms")?,
        limits: fleet_limits(row)?,
        scaling_paused: cell(row, "scaling_paused")?,
        busy_ids: ids(row, "busy_ids")?,
        silent_ids: ids(row, "silent_ids")?,
    })
}

fn count(row: &Row, column: &str) -> Result<u32, StoreError> {
    Ok(u32::try_from(cell::<i64>(row, column)?).unwrap_or(u32::MAX))
}

fn span(row: &Row, column: &str) -> Result<Option<Duration>, StoreError> {
    Ok(cell::<Option<i64>>(row, column)?.map(|ms| Duration::from_millis(ms.max(0).unsigned_abs())))
}

fn ids(row: &Row, column: &str) -> Result<HashSet<WorkerId>, StoreError> {
    Ok(cell::<Vec<Uuid>>(row, column)?.into_iter().map(WorkerId).collect())
}
