//! How graphile_worker enqueues, works and counts.

use std::time::{Duration, Instant};

use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, TaskHandler, WorkerContext, WorkerOptions, WorkerUtils,
};
use peer_shared::{How, Peer, Probe};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

const SCHEMA: &str = "graphile_worker";
/// Jobs per call of the bulk interface.
const BULK: u64 = 5_000;
/// How long completions are collected: the upper end of what the documentation recommends.
const FLUSH: Duration = Duration::from_millis(5);

#[derive(Clone, Serialize, Deserialize)]
struct Nothing {
    number: u64,
}

impl TaskHandler for Nothing {
    const IDENTIFIER: &'static str = "nothing";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        if let Some(probe) = context.get_ext::<Probe>() {
            probe.started();
        }
        Ok::<(), String>(())
    }
}

/// A pool, and the interface for those who enqueue.
pub struct Graphile {
    pool: PgPool,
    utils: WorkerUtils,
    how: How,
}

impl Peer for Graphile {
    async fn open(url: &str, how: How) -> anyhow::Result<Graphile> {
        let pool = PgPoolOptions::new().max_connections(30).connect(url).await?;
        let utils = WorkerUtils::new(pool.clone(), SCHEMA);
        Ok(Graphile { pool, utils, how })
    }

    async fn setup(&self) -> anyhow::Result<()> {
        Ok(self.utils.migrate().await?)
    }

    async fn enqueue(&self, jobs: u64) -> anyhow::Result<()> {
        let spec = JobSpec::default();
        for begin in (0..jobs).step_by(BULK as usize) {
            let bulk: Vec<_> =
                (begin..jobs.min(begin + BULK)).map(|number| (Nothing { number }, &spec)).collect();
            self.utils.add_jobs(&bulk).await?;
        }
        Ok(())
    }

    async fn enqueue_one(&self) -> anyhow::Result<Instant> {
        let mut transaction = self.pool.begin().await?;
        self.utils
            .clone()
            .with_executor(&mut transaction)
            .add_job(Nothing { number: 0 }, JobSpec::default())
            .await?;
        let sent = Instant::now();
        transaction.commit().await?;
        Ok(sent)
    }

    async fn analyze(&self) -> anyhow::Result<()> {
        sqlx::query("vacuum analyze").execute(&self.pool).await?;
        Ok(())
    }

    async fn start(&self, probe: Probe) -> anyhow::Result<()> {
        let how = self.how;
        let mut options = WorkerOptions::default()
            .schema(SCHEMA)
            .pg_pool(self.pool.clone())
            .concurrency(how.workers)
            .add_extension(probe)
            .define_job::<Nothing>();
        // A slot without a local queue takes one job per signal, and a backlog signals once per poll interval.
        let queue = LocalQueueConfig::default();
        options = match how {
            How { batch: true, best: false, .. } => {
                options.local_queue(queue).complete_job_batch_delay(FLUSH)
            }
            How { batch: true, best: true, .. } => {
                options.local_queue(queue.with_queue_count(4)).complete_job_batch_delay(FLUSH)
            }
            How { workers: 2.., best: true, .. } => {
                options.local_queue(queue.with_size(1).with_queue_count(how.workers))
            }
            How { .. } => options,
        };
        let worker = options.init().await?;
        tokio::spawn(async move {
            if let Err(error) = worker.run().await {
                eprintln!("error: the worker ended: {error}");
            }
        });
        Ok(())
    }

    async fn left(&self) -> anyhow::Result<i64> {
        let sql = "select count(*) from graphile_worker._private_jobs";
        Ok(sqlx::query_scalar(sql).fetch_one(&self.pool).await?)
    }
}
