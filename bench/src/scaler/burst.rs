//! Forty jobs that meet an empty fleet, in one commit and in as many: which target is asked for first, after what time, and in how many
//! calls. A second in which nothing more is asked for is part of it.

use std::time::Duration;

use anyhow::Context;
use system_tests::aws::Options;
use tokio::time::sleep;
use tokio_postgres::Client;

use super::{Rig, ms_between, wall_clock};
use crate::own::{INSERT, enqueue};
use crate::report::{Report, Row, median, quantile};
use crate::server::{CODETEAM, Server};
use crate::turns::Effort;

const JOBS: usize = 40;
/// Up and down again may be three changes, and there may be one in 5 s.
const PACE: Duration = Duration::from_millis(15_250);
/// The scaler looks once a second while there is work.
const WINDOW: Duration = Duration::from_millis(1_200);

struct Burst {
    first_ms: f64,
    targets: Vec<i64>,
}

pub async fn measure(server: &Server, effort: Effort) -> anyhow::Result<Report> {
    let (times, pace) = effort.pick((1, Duration::ZERO), (effort.rounds, PACE));
    let still = effort.pick(Duration::from_millis(300), Duration::from_millis(1_200));
    let database = server.fresh(CODETEAM).await?;
    let writer = server.client(&database).await?;
    let settings = [("COOL_DOWN_MS", "0")];
    let mut rig = Rig::start(server, database, still, Options::default(), &settings).await?;
    let (mut at_once, mut one_by_one) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let known = rig.asleep(pace).await?;
        let start = wall_clock();
        enqueue(&writer, JOBS).await?;
        at_once.push(follow(&mut rig, known, start).await?);

        let known = rig.asleep(pace).await?;
        let start = wall_clock();
        queue_one_by_one(&writer).await?;
        one_by_one.push(follow(&mut rig, known, start).await?);
    }
    drop(writer);
    rig.stop(server).await?;
    Ok(report(at_once, one_by_one))
}

async fn queue_one_by_one(writer: &Client) -> anyhow::Result<()> {
    for _ in 0..JOBS {
        writer.execute(INSERT, &[]).await?;
    }
    Ok(())
}

async fn follow(rig: &mut Rig, known: usize, start: u64) -> anyhow::Result<Burst> {
    rig.program.during(sleep(WINDOW)).await?;
    let calls = rig.targets(known).await;
    rig.cancel_all().await?;
    let first = calls.first().context("40 jobs were queued, and the scaler did not call")?;
    Ok(Burst {
        first_ms: ms_between(start, first.at_ns),
        targets: calls.iter().filter_map(|call| call.max).collect(),
    })
}

fn report(at_once: Vec<Burst>, one_by_one: Vec<Burst>) -> Report {
    let least = |bursts: &[Burst]| bursts.iter().filter_map(|burst| burst.targets.first()).min().copied();
    let most_calls = |bursts: &[Burst]| bursts.iter().map(|burst| burst.targets.len()).max().unwrap_or(0);
    let row = |name: &str, bursts: &[Burst]| {
        let samples: Vec<f64> = bursts.iter().map(|burst| burst.first_ms).collect();
        let cells = vec![
            name.to_owned(),
            format!("{:.2}", median(&samples)),
            format!("{:.2}", quantile(&samples, 1.0)),
            least(bursts).unwrap_or(0).to_string(),
            most_calls(bursts).to_string(),
            bursts.len().to_string(),
        ];
        Row { cells, samples }
    };
    Report {
        title: format!(
            "Scaler, burst: {JOBS} jobs beside an empty fleet of at most 10, in milliseconds from the first"
        ),
        columns: vec!["", "first call, p50", "worst", "first target, least", "calls, most", "times"],
        rows: vec![row("in one commit", &at_once), row("each in its own", &one_by_one)],
        ratios: vec![
            ("in one commit, first target".into(), least(&at_once).unwrap_or(0) as f64, "10"),
            ("in one commit, calls".into(), most_calls(&at_once) as f64, "1"),
        ],
    }
}
