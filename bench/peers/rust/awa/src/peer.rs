//! How awa enqueues, works and counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use awa::{
    Client, InsertOpts, InsertParams, JobArgs, JobResult, PartitionedQueue, QueueConfig, QueueStorage,
    QueueStorageConfig,
};
use peer_shared::{Batch, Command, How, Peer, Probe};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::OnceCell;

/// Jobs per call of the bulk interface.
const BULK: u64 = 5_000;
/// Jobs that ended since the schema was installed: those in pruned segments, those that ended together, and the others.
const ENDED: &str = "select (coalesce((select sum(pruned_completed_count + pruned_failed_count) from awa.queue_terminal_rollups), 0)
    + coalesce((select sum(completed_count) from awa.receipt_completion_batches), 0)
    + (select count(*) from awa.done_entries))::bigint";

#[derive(Debug, Serialize, Deserialize, JobArgs)]
struct Nothing {
    number: u64,
}

/// A pool and the storage engine that the workers use by default.
pub struct Awa {
    pool: PgPool,
    storage: QueueStorage,
    queues: PartitionedQueue,
    how: How,
    enqueued: AtomicU64,
    ended_before: OnceCell<i64>,
}

/// What awa must find in its environment for `command`. Empty: its own defaults do.
pub fn environment(command: &Command) -> Vec<(&'static str, &'static str)> {
    match command {
        Command::Drain { batch: Batch::No, .. } | Command::Steady { .. } => {
            vec![("AWA_COMPLETION_BATCH_SIZE", "1")]
        }
        _ => Vec::new(),
    }
}

impl Peer for Awa {
    async fn open(url: &str, how: How) -> anyhow::Result<Awa> {
        // A queue is claimed from by one claimer; one by one, ten workers are fed by ten queues only.
        let queues = if how.best && !how.batch { how.workers } else { 1 };
        Ok(Awa {
            pool: PgPoolOptions::new().max_connections(40).connect(url).await?,
            storage: QueueStorage::new(QueueStorageConfig::default())?,
            queues: PartitionedQueue::new("bench", queues)?,
            how,
            enqueued: AtomicU64::new(0),
            ended_before: OnceCell::new(),
        })
    }

    async fn setup(&self) -> anyhow::Result<()> {
        Ok(awa::migrations::run(&self.pool).await?)
    }

    async fn enqueue(&self, jobs: u64) -> anyhow::Result<()> {
        let first = self.count(jobs).await?;
        let end = first + jobs;
        for begin in (first..end).step_by(BULK as usize) {
            let params = (begin..end.min(begin + BULK))
                .map(|number| {
                    let args = serde_json::to_value(Nothing { number })?;
                    Ok(InsertParams { kind: Nothing::kind().to_owned(), args, opts: self.route(number) })
                })
                .collect::<anyhow::Result<Vec<_>>>()?;
            self.storage.enqueue_params_copy(&self.pool, &params).await?;
        }
        Ok(())
    }

    async fn enqueue_one(&self) -> anyhow::Result<Instant> {
        let number = self.count(1).await?;
        let mut transaction = self.pool.begin().await?;
        awa::insert_with(&mut *transaction, &Nothing { number }, self.route(number)).await?;
        let sent = Instant::now();
        transaction.commit().await?;
        Ok(sent)
    }

    async fn analyze(&self) -> anyhow::Result<()> {
        sqlx::query("vacuum analyze").execute(&self.pool).await?;
        Ok(())
    }

    async fn start(&self, probe: Probe) -> anyhow::Result<()> {
        let workers = self.how.workers / self.queues.partitions();
        let mut config = QueueConfig { max_workers: u32::try_from(workers)?, ..QueueConfig::default() };
        if !self.how.batch {
            config.claim_batch_size = 1;
        }
        if self.how.best {
            // Short jobs without a deadline are claimed and completed with the fewest rows.
            config.deadline_duration = Duration::ZERO;
        }
        let client = Client::builder(self.pool.clone())
            .partitioned_queue(&self.queues, config)
            .register::<Nothing, _, _>(move |_, _| {
                probe.started();
                async { Ok(JobResult::Completed) }
            })
            .build()?;
        Ok(client.start().await?)
    }

    async fn left(&self) -> anyhow::Result<i64> {
        let Some(before) = self.ended_before.get() else { return Ok(0) };
        let enqueued = i64::try_from(self.enqueued.load(Ordering::Relaxed))?;
        Ok(enqueued - (self.ended().await? - before))
    }
}

impl Awa {
    fn route(&self, number: u64) -> InsertOpts {
        self.queues.route_opts_by_index(InsertOpts::default(), number as usize)
    }

    /// Counts `jobs` as enqueued; gives the number of the first, so that the queues are filled evenly from call to call.
    async fn count(&self, jobs: u64) -> anyhow::Result<u64> {
        self.ended_before.get_or_try_init(|| self.ended()).await?;
        Ok(self.enqueued.fetch_add(jobs, Ordering::Relaxed))
    }

    async fn ended(&self) -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar(ENDED).fetch_one(&self.pool).await?)
    }
}
