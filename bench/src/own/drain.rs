//! Jobs per second while a backlog is worked off.

use anyhow::{Context, bail};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Worker, enqueue};
use crate::server::Server;
use crate::turns::Trouble;

/// Lets `workers` workers take `jobs` jobs to their end; gives jobs per second, from the first claim's answer to the last finish's.
/// With `batch`, many jobs by each statement.
pub async fn drain(
    server: &Server,
    database: &str,
    jobs: usize,
    workers: usize,
    batch: bool,
) -> anyhow::Result<f64> {
    if batch {
        return Err(Trouble(
            "not supported: each job is claimed and finished by a statement of its own".into(),
        )
        .into());
    }
    enqueue(&server.client(database).await?, jobs).await?;
    let mut team = Vec::new();
    for _ in 0..workers {
        team.push(Worker::start(server, database).await?);
    }
    let mut working: JoinSet<_> = team.into_iter().map(one_by_one).collect();
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

async fn one_by_one(worker: Worker) -> anyhow::Result<Shift> {
    let mut shift = Shift::default();
    while let Some(claimed) = worker.claim().await? {
        shift.first.get_or_insert_with(Instant::now);
        worker.finish(&claimed).await?;
        shift.last = Some(Instant::now());
        shift.done += 1;
    }
    Ok(shift)
}
