//! Jobs per second while a backlog is worked off.

use anyhow::{Context, bail};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Worker, enqueue};
use crate::server::Server;

/// Jobs in a batch: as many as the peers' batching takes.
const BATCH: u16 = 100;

/// Lets `workers` workers take `jobs` jobs to their end; gives jobs per second, from the first claim's answer to the last finish's.
/// With `batch`, many jobs by each statement.
pub async fn drain(
    server: &Server,
    database: &str,
    jobs: usize,
    workers: usize,
    batch: bool,
) -> anyhow::Result<f64> {
    enqueue(&server.client(database).await?, jobs).await?;
    let mut team = Vec::new();
    for _ in 0..workers {
        team.push(Worker::start(server, database).await?);
    }
    let most = if batch { BATCH } else { 1 };
    let mut working: JoinSet<_> = team.into_iter().map(|worker| work(worker, most)).collect();
    let (mut first, mut last, mut done) = (None, None, 0);
    while let Some(shift) = working.join_next().await {
        let shift = shift.context("a worker panicked")??;
        done += shift.done;
        first = [first, shift.first].into_iter().flatten().min();
        last = last.max(shift.last);
    }
    let (first, last) = first.zip(last).context("no job was claimed")?;
    if done != jobs {
        bail!("{done} of {jobs} jobs were done");
    }
    Ok(jobs as f64 / (last - first).as_secs_f64())
}

#[derive(Default)]
struct Shift {
    first: Option<Instant>,
    last: Option<Instant>,
    done: usize,
}

async fn work(worker: Worker, most: u16) -> anyhow::Result<Shift> {
    let mut shift = Shift::default();
    loop {
        let claimed = worker.claim_many(most).await?;
        if claimed.is_empty() {
            return Ok(shift);
        }
        shift.first.get_or_insert_with(Instant::now);
        match claimed.as_slice() {
            [one] if most == 1 => worker.finish(one).await?,
            many => worker.finish_many(many).await?,
        }
        shift.last = Some(Instant::now());
        shift.done += claimed.len();
    }
}
