//! What a claim costs with a small queue and with a large one, of one repository and of very many: the same, or the backlog slows
//! the team down that works it off.

use std::time::Instant;

use anyhow::Context;

use crate::own::Worker;
use crate::report::{Report, Row, median, quantile};
use crate::server::{CODETEAM, Server};
use crate::turns::Effort;

const CLAIMS: usize = 300;
const FILL: &str = "insert into codeteam.jobs (mode, task, repo, prompt)
    select 'mechanic', 'bug_fix', '/srv/app' || n % $2, 'make it work' from generate_series(1, $1) n";
/// Counted by the server as the claims run, in whatever function they do it: what was done, not what a plan says would be.
const SCANS: &str = "select seq_scan from pg_stat_user_tables where relid = 'codeteam.jobs'::regclass";

pub async fn measure(server: &Server, effort: Effort) -> anyhow::Result<Report> {
    let sizes: &[i32] = effort.pick(&[1_000, 10_000], &[1_000, 100_000, 1_000_000]);
    let mut queues = Vec::new();
    for &jobs in sizes {
        for repos in [1, 10_000.min(jobs)] {
            queues.push(Queue::fill(server, jobs, repos).await?);
        }
    }
    for _ in 0..CLAIMS {
        for queue in &mut queues {
            queue.claim().await?;
        }
    }
    let (mut rows, mut middles, mut all_scans) = (Vec::new(), Vec::new(), 0);
    for Queue { name, database, worker, before, samples } in queues {
        drop(worker);
        let scans = scans(server, &database).await? - before;
        server.drop(&database).await?;
        let figures = [0.5, 0.9, 0.99].map(|share| format!("{:.3}", quantile(&samples, share)));
        middles.push(median(&samples));
        all_scans += scans;
        let share = format!("{:.2}", median(&samples) / middles[0]);
        rows.push(Row {
            cells: [vec![name], figures.to_vec(), vec![share, scans.to_string()]].concat(),
            samples,
        });
    }
    let worst = quantile(&middles, 1.0) / quantile(&middles[..1], 1.0);
    Ok(Report {
        title: format!("Claims: {CLAIMS} of each queue, in turn, in milliseconds"),
        columns: vec!["", "p50", "p90", "p99", "of the first", "sequential scans"],
        rows,
        ratios: vec![
            ("worst / first, p50".into(), worst, "at most 1.3"),
            ("sequential scans of the jobs".into(), all_scans as f64, "none"),
        ],
    })
}

/// A queue in a database of its own, and a worker that claims from it.
struct Queue {
    name: String,
    database: String,
    worker: Worker,
    /// Sequential scans before the first claim.
    before: i64,
    /// Milliseconds of each claim.
    samples: Vec<f64>,
}

impl Queue {
    async fn fill(server: &Server, jobs: i32, repos: i32) -> anyhow::Result<Queue> {
        let database = server.fresh(CODETEAM).await?;
        let admin = server.client(&database).await?;
        admin.execute(FILL, &[&jobs, &repos]).await?;
        admin.batch_execute("vacuum analyze").await?;
        admin.batch_execute("checkpoint").await?;
        drop(admin);
        let before = scans(server, &database).await?;
        let worker = Worker::start(server, &database).await?;
        let name = format!("{jobs} jobs of {repos} repositories");
        Ok(Queue { name, database, worker, before, samples: Vec::with_capacity(CLAIMS) })
    }

    async fn claim(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        self.worker.claim().await?.context("the queue ran empty")?;
        self.samples.push(start.elapsed().as_secs_f64() * 1e3);
        Ok(())
    }
}

async fn scans(server: &Server, database: &str) -> anyhow::Result<i64> {
    Ok(server.quiet(database).await?.query_one(SCANS, &[]).await?.get(0))
}
