//! The measurements themselves, the same for each peer.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::time::{sleep, sleep_until, timeout};

use crate::args::{Batch, Command, Setting};
use crate::{How, Peer, Probe, url};

/// Jobs that `steady` keeps queued.
const QUEUED: u64 = 1_000;
/// After this time `wake` stops with the rounds that it has: a setting that only polls may take half a minute for each.
const WAKE_AT_MOST: Duration = Duration::from_secs(180);
/// After this time `drain` stops with the jobs that are done: a setting that only polls may take hours for them all.
const DRAIN_AT_MOST: Duration = Duration::from_secs(120);
/// A queue that started no further job for so long is taken to be stuck.
const STUCK: Duration = Duration::from_secs(90);

pub(crate) async fn command<P: Peer>(command: Command) -> anyhow::Result<Value> {
    let url = std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
    let url = url.context("set DATABASE_URL to the URL of a fresh database")?;
    let how = how(&command);
    let peer = P::open(&url::strict(&url), how).await.context("cannot connect to DATABASE_URL")?;
    match command {
        Command::Setup => peer.setup().await.map(|()| json!({"setup": true})),
        Command::Wake { rounds, .. } => wake(&peer, rounds).await,
        Command::Drain { jobs, .. } => drain(&peer, jobs).await,
        Command::Idle { seconds, .. } => idle(&peer, seconds).await,
        Command::Steady { seconds, bucket, .. } => steady(&peer, seconds, bucket).await,
    }
}

fn how(command: &Command) -> How {
    let (workers, batch, setting) = match *command {
        Command::Setup => (1, Batch::No, Setting::Default),
        Command::Wake { setting, .. } | Command::Idle { setting, .. } => (1, Batch::No, setting),
        Command::Drain { workers, batch, setting, .. } => (workers, batch, setting),
        Command::Steady { workers, setting, .. } => (workers, Batch::No, setting),
    };
    How { workers: usize::from(workers), batch: batch == Batch::Yes, best: setting == Setting::Best }
}

async fn wake<P: Peer>(peer: &P, rounds: usize) -> anyhow::Result<Value> {
    let (probe, mut starts) = Probe::telling();
    peer.start(probe).await?;
    let begin = Instant::now();
    let mut wake_ms = Vec::with_capacity(rounds);
    // The first round only warms up: connections, statements, plans.
    for round in 0..=rounds {
        settle(peer, round).await?;
        let sent = peer.enqueue_one().await?;
        let start = timeout(STUCK, starts.recv()).await.context("the worker sleeps through its job")?;
        let start = start.context("the worker ended")?;
        if round > 0 {
            wake_ms.push(start.saturating_duration_since(sent).as_secs_f64() * 1e3);
        }
        if begin.elapsed() > WAKE_AT_MOST && round > 0 {
            eprintln!("stopped after {round} rounds: this setting is too slow for more");
            break;
        }
    }
    Ok(json!({"wake_ms": wake_ms}))
}

/// Waits until nothing is left to do, and then for a time that differs from round to round, so that no round is in step with
/// the worker's own timers.
async fn settle<P: Peer>(peer: &P, round: usize) -> anyhow::Result<()> {
    gone(peer).await?;
    let spread = (round as u64).wrapping_mul(61_803) % 100_000;
    sleep(Duration::from_micros(30_000 + spread)).await;
    Ok(())
}

async fn drain<P: Peer>(peer: &P, jobs: u64) -> anyhow::Result<Value> {
    peer.enqueue(jobs).await.context("cannot enqueue")?;
    peer.analyze().await?;
    eprintln!("{jobs} jobs queued");
    let probe = Probe::counting();
    peer.start(probe.clone()).await?;
    let (done, end) = match timeout(DRAIN_AT_MOST, reach(&probe, jobs)).await {
        Ok(reached) => {
            reached?;
            gone(peer).await?;
            (jobs, Instant::now())
        }
        Err(_) => {
            let (done, end) = (probe.count(), Instant::now());
            eprintln!("stopped after {done} of {jobs} jobs: this setting is too slow for more");
            (done, end)
        }
    };
    let first = probe.first().context("no job was started")?;
    let jobs_per_s = done as f64 / end.saturating_duration_since(first).as_secs_f64();
    Ok(json!({"jobs_per_s": jobs_per_s, "jobs": done}))
}

/// Waits until the handlers have started `jobs` jobs.
async fn reach(probe: &Probe, jobs: u64) -> anyhow::Result<()> {
    let mut seen = (0, Instant::now());
    loop {
        let count = probe.count();
        if count >= jobs {
            return Ok(());
        }
        if count > seen.0 {
            seen = (count, Instant::now());
        }
        anyhow::ensure!(seen.1.elapsed() < STUCK, "stuck: {count} of {jobs} jobs were started");
        sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until the database has no job left that is not completed.
async fn gone<P: Peer>(peer: &P) -> anyhow::Result<()> {
    let begin = Instant::now();
    loop {
        let left = peer.left().await?;
        if left == 0 {
            return Ok(());
        }
        anyhow::ensure!(begin.elapsed() < STUCK, "stuck: {left} jobs were started and never completed");
        sleep(Duration::from_millis(1)).await;
    }
}

async fn idle<P: Peer>(peer: &P, seconds: f64) -> anyhow::Result<Value> {
    peer.start(Probe::counting()).await?;
    eprintln!("idling");
    sleep(duration(seconds)?).await;
    Ok(json!({"idle_s": seconds}))
}

async fn steady<P: Peer>(peer: &P, seconds: f64, bucket: f64) -> anyhow::Result<Value> {
    let (length, step) = (duration(seconds)?, duration(bucket)?);
    anyhow::ensure!(!step.is_zero(), "--bucket is 0: give the seconds that one figure spans");
    let mut queued = QUEUED;
    peer.enqueue(queued).await.context("cannot enqueue")?;
    peer.analyze().await?;
    let probe = Probe::counting();
    peer.start(probe.clone()).await?;
    reach(&probe, 1).await?;
    let begin = tokio::time::Instant::now();
    let produce = async {
        loop {
            // A tenth below the mark at least, so that the inserts are worth a batch.
            let missing = QUEUED.saturating_sub(queued.saturating_sub(probe.count()));
            if missing >= QUEUED / 10 {
                peer.enqueue(missing).await.context("cannot enqueue")?;
                queued += missing;
            }
            sleep(Duration::from_millis(2)).await;
        }
    };
    let count = async {
        let (mut buckets, mut before) = (Vec::new(), probe.count());
        for end in (1..).map(|number| step * number).take_while(|end| *end <= length) {
            sleep_until(begin + end).await;
            let now = probe.count();
            eprintln!("{:.0} s: {} jobs", end.as_secs_f64(), now - before);
            buckets.push(now - before);
            before = now;
        }
        buckets
    };
    tokio::select! {
        ended = produce => ended,
        buckets = count => Ok(json!({"buckets": buckets})),
    }
}

fn duration(seconds: f64) -> anyhow::Result<Duration> {
    Duration::try_from_secs_f64(seconds)
        .with_context(|| format!("{seconds} is no number of seconds: give one above 0"))
}
