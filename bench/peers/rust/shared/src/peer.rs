//! What a queue must be able to do to be measured.

use std::time::Instant;

use crate::Probe;

/// How a worker is to be set up.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Jobs at work at the same time, 1 or more.
    pub workers: usize,
    /// Whether jobs are fetched and completed many at a time.
    pub batch: bool,
    /// Whether the documented setting for this load is used instead of the library's defaults.
    pub best: bool,
}

/// A job queue under measurement.
#[allow(async_fn_in_trait)] // only ever called from `measure`, on one thread
pub trait Peer: Sized {
    /// Connects to the database at `url`; everything that follows is for a worker that is set up like `how`.
    async fn open(url: &str, how: How) -> anyhow::Result<Self>;

    /// Installs the schema.
    async fn setup(&self) -> anyhow::Result<()>;

    /// Enqueues many jobs in bulk.
    async fn enqueue(&self, jobs: u64) -> anyhow::Result<()>;

    /// Enqueues one job in a transaction; gives when its COMMIT was sent.
    async fn enqueue_one(&self) -> anyhow::Result<Instant>;

    /// Brings the planner's statistics up to date.
    async fn analyze(&self) -> anyhow::Result<()>;

    /// Starts a worker that works until the process ends; its empty handler tells `probe` of each job.
    async fn start(&self, probe: Probe) -> anyhow::Result<()>;

    /// Jobs that are not yet completed durably, as the database has it.
    async fn left(&self) -> anyhow::Result<i64>;
}
