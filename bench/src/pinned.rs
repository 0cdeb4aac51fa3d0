//! Work that goes on while an old snapshot stays open, as a long report or a dump has one: no dead row can be taken away then. What
//! stays of the speed, and what piles up.

use std::time::Duration;

use anyhow::Context;

use crate::own;
use crate::peers::{Peer, Setting};
use crate::report::{Report, Row, median, quantile};
use crate::server::{CODETEAM, Server};
use crate::turns::{Effort, Who, in_turns};

const WORKERS: usize = 10;

struct Pinned {
    /// Jobs per second in the first tenth of the time and in the last: the medians of their buckets.
    start: f64,
    end: f64,
    jobs: f64,
    dead_rows: i64,
    bytes: i64,
}

pub async fn measure(server: &Server, peers: &[Peer], effort: Effort) -> anyhow::Result<Report> {
    let bucket = effort.pick(Duration::from_secs(1), Duration::from_secs(5));
    let (buckets, rounds) = effort.pick((3, effort.rounds), (120, 1));
    let mut contestants = vec![Who::Codeteam];
    contestants.extend(peers.iter().map(|peer| Who::Peer(peer, Setting::Best)));
    let outcomes =
        in_turns(rounds, &contestants, async |&who| run(server, who, bucket, buckets).await).await?;
    let rows = contestants.iter().zip(&outcomes).map(|(&who, outcome)| {
        let of =
            |pick: fn(&Pinned) -> f64| -> f64 { median(&outcome.got.iter().map(pick).collect::<Vec<_>>()) };
        let samples: Vec<f64> = outcome.got.iter().map(|run| run.end / run.start).collect();
        let figures = if samples.is_empty() {
            [(); 6].map(|()| "-".to_owned())
        } else {
            [
                format!("{:.0}", of(|run| run.start)),
                format!("{:.0}", of(|run| run.end)),
                format!("{:.2}", median(&samples)),
                format!("{:.2} to {:.2}", quantile(&samples, 0.0), quantile(&samples, 1.0)),
                format!("{:.1}", of(|run| run.dead_rows as f64 / run.jobs)),
                format!("{:.0}", of(|run| run.bytes as f64 / run.jobs)),
            ]
        };
        let cells = [vec![who.name()], figures.to_vec(), vec![outcome.remark(who)]].concat();
        Row { cells, samples }
    });
    let rows: Vec<Row> = rows.collect();
    let kept = rows.first().map_or(f64::NAN, |own| median(&own.samples));
    Ok(Report {
        title: format!(
            "Pinned: {} s of work beside an open snapshot, {rounds} rounds",
            bucket.as_secs() * buckets as u64
        ),
        columns: vec![
            "",
            "jobs/s at the start",
            "at the end",
            "kept",
            "spread",
            "dead rows/job",
            "bytes/job",
            "what it does for a job's safety",
        ],
        rows,
        ratios: vec![("codeteam, end / start".into(), kept, "at least 0.8")],
    })
}

async fn run(server: &Server, who: Who<'_>, bucket: Duration, buckets: usize) -> anyhow::Result<Pinned> {
    let database = match who {
        Who::Peer(peer, _) => peer.database(server).await?,
        Who::Codeteam | Who::Floor => server.fresh(CODETEAM).await?,
    };
    let pinned = beside_a_snapshot(server, who, &database, bucket, buckets).await;
    server.drop(&database).await?;
    pinned
}

async fn beside_a_snapshot(
    server: &Server,
    who: Who<'_>,
    database: &str,
    bucket: Duration,
    buckets: usize,
) -> anyhow::Result<Pinned> {
    let reader = server.client(database).await?;
    reader.batch_execute("begin isolation level repeatable read; select count(*) from pg_class").await?;
    let done: Vec<f64> = match who {
        Who::Peer(peer, _) => {
            let seconds = bucket.as_secs() * buckets as u64;
            let (length, workers) = (bucket.as_secs().to_string(), WORKERS.to_string());
            let arguments =
                ["steady", "--seconds", &seconds.to_string(), "--bucket", &length, "--workers", &workers];
            let limit = Duration::from_secs(seconds + 60);
            let answer = peer.ask_in(server, database, &arguments.map(str::to_owned), limit).await?;
            let counts = answer["buckets"].as_array().context("it gave no buckets")?;
            counts.iter().filter_map(serde_json::Value::as_f64).collect()
        }
        Who::Codeteam | Who::Floor => own::steady(server, database, WORKERS, bucket, buckets).await?,
    };
    let (dead_rows, bytes) = waste(server, database).await?;
    let tenth = done.len().div_ceil(10);
    let per_second = |buckets: Option<&[f64]>| -> anyhow::Result<f64> {
        Ok(median(buckets.context("there was no bucket")?) / bucket.as_secs_f64())
    };
    Ok(Pinned {
        start: per_second(done.get(..tenth))?,
        end: per_second(done.len().checked_sub(tenth).and_then(|from| done.get(from..)))?,
        jobs: done.iter().sum(),
        dead_rows,
        bytes,
    })
}

/// Dead rows and bytes of all tables.
async fn waste(server: &Server, database: &str) -> anyhow::Result<(i64, i64)> {
    let sums =
        "select coalesce(sum(n_dead_tup), 0)::bigint, coalesce(sum(pg_total_relation_size(relid)), 0)::bigint
        from pg_stat_user_tables";
    let row = server.quiet(database).await?.query_one(sums, &[]).await?;
    Ok((row.get(0), row.get(1)))
}
