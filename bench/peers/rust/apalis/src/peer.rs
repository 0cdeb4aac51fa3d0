//! How apalis-postgres enqueues, works and counts.

use std::time::{Duration, Instant};

use apalis::prelude::{
    BackendExt, BoxDynError, Data, ParallelizeExt, TaskBuilder, WorkerBuilder, WorkerBuilderExt, WorkerError,
};
use apalis_postgres::{Config, PostgresStorage};
use peer_shared::{How, Peer, Probe};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

const QUEUE: &str = "bench";
/// Jobs per call of the bulk interface.
const BULK: u64 = 5_000;
/// How often many workers look for jobs that nobody told them of.
const POLL: Duration = Duration::from_millis(100);

/// A pool is all that those who enqueue need.
pub struct Apalis {
    pool: PgPool,
    how: How,
}

async fn nothing(_number: u64, probe: Data<Probe>) -> Result<(), BoxDynError> {
    probe.started();
    Ok(())
}

impl Peer for Apalis {
    async fn open(url: &str, how: How) -> anyhow::Result<Apalis> {
        let pool = PgPoolOptions::new().max_connections(30).connect(url).await?;
        Ok(Apalis { pool, how })
    }

    async fn setup(&self) -> anyhow::Result<()> {
        Ok(PostgresStorage::setup(&self.pool).await?)
    }

    async fn enqueue(&self, jobs: u64) -> anyhow::Result<()> {
        let mut connection = self.pool.acquire().await?;
        for begin in (0..jobs).step_by(BULK as usize) {
            let tasks = (begin..jobs.min(begin + BULK)).map(task).collect();
            apalis_postgres::queries::push_tasks(&mut *connection, QUEUE, tasks).await?;
        }
        Ok(())
    }

    async fn enqueue_one(&self) -> anyhow::Result<Instant> {
        let mut transaction = self.pool.begin().await?;
        apalis_postgres::queries::push_tasks(&mut *transaction, QUEUE, vec![task(0)]).await?;
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
        // A worker of this library acknowledges together what ended together, so jobs are taken one by one only by workers
        // that have one each.
        let (workers, concurrency) = if how.batch { (1, how.workers) } else { (how.workers, 1) };
        let config = Config::default().queue(QUEUE);
        let config = match how {
            How { batch: false, .. } => config.batch_size(1),
            How { batch: true, best: false, .. } => config,
            How { batch: true, best: true, .. } => config.batch_size(100).lock_tasks(false),
        };
        for number in 0..workers {
            let name = format!("bench-{}-{number}", std::process::id());
            let storage = PostgresStorage::<u64>::new(&self.pool).with_config(config.clone());
            let (worker, probe) = (WorkerBuilder::new(name), probe.clone());
            match how {
                How { best: false, .. } => {
                    let worker = worker.backend(storage).data(probe).concurrency(concurrency);
                    tokio::spawn(report(worker.build(nothing).run()))
                }
                // Each of many workers would hear of each job: the clock costs them less.
                How { batch: false, workers: 2.., .. } => {
                    let worker = worker.backend(storage.poll_with_interval(POLL));
                    tokio::spawn(report(worker.data(probe).concurrency(concurrency).build(nothing).run()))
                }
                How { .. } => {
                    let worker = worker.backend(storage.with_pubsub()).data(probe).concurrency(concurrency);
                    tokio::spawn(report(worker.parallelize(tokio::spawn).build(nothing).run()))
                }
            };
        }
        Ok(())
    }

    async fn left(&self) -> anyhow::Result<i64> {
        let sql = "select count(*) from apalis.jobs where status <> 'Done'";
        Ok(sqlx::query_scalar(sql).fetch_one(&self.pool).await?)
    }
}

async fn report(worker: impl Future<Output = Result<(), WorkerError>>) {
    if let Err(error) = worker.await {
        eprintln!("error: a worker ended: {error}");
    }
}

fn task(number: u64) -> apalis_postgres::PgTask {
    TaskBuilder::new(number.to_string().into_bytes()).build()
}
