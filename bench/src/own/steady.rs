//! Jobs per bucket of time while somebody keeps about a thousand queued.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use super::{Worker, enqueue};
use crate::server::Server;

const QUEUED: usize = 1_000;
/// Fewer missing jobs than this are not worth a statement.
const TOP_UP: usize = 50;

/// Works for `buckets` times `bucket` with `workers` workers, one job at a time each; gives the jobs done in each bucket.
pub async fn steady(
    server: &Server,
    database: &str,
    workers: usize,
    bucket: Duration,
    buckets: usize,
) -> anyhow::Result<Vec<f64>> {
    let done = Arc::new(AtomicUsize::new(0));
    let mut working = JoinSet::new();
    for _ in 0..workers {
        working.spawn(work(Worker::start(server, database).await?, done.clone()));
    }
    let producer = server.client(database).await?;
    let mut look = interval(Duration::from_millis(10));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut edge = interval_at(Instant::now() + bucket, bucket);
    let (mut asked, mut before, mut counts) = (0, 0, Vec::new());
    while counts.len() < buckets {
        tokio::select! {
            biased;
            _ = edge.tick() => {
                let now = done.load(Ordering::Relaxed);
                counts.push((now - before) as f64);
                before = now;
            }
            ended = working.join_next() => ended.context("there are no workers")?.context("a worker panicked")??,
            _ = look.tick() => {
                let missing = (QUEUED + done.load(Ordering::Relaxed)).saturating_sub(asked);
                if missing >= TOP_UP {
                    enqueue(&producer, missing).await?;
                    asked += missing;
                }
            }
        }
    }
    Ok(counts)
}

/// Never ends by itself.
async fn work(worker: Worker, done: Arc<AtomicUsize>) -> anyhow::Result<()> {
    let mut doorbell = worker.doorbell();
    loop {
        while let Some(claimed) = worker.claim().await? {
            worker.finish(&claimed).await?;
            done.fetch_add(1, Ordering::Relaxed);
        }
        doorbell.sleep().await?;
    }
}
