//! From the commit that queued a job to the arrival of the call that starts a task for it, in a scaler that slept beside an empty
//! fleet; beside the least that could do it, alternating. The modes take turns, since each has a bound on its changes.

use std::time::Duration;

use anyhow::Context;
use domain::Mode;
use system_tests::aws::{Call, Options};
use tokio::time::sleep;
use tokio_postgres::Client;

use super::floor::Floor;
use super::{Rig, is_of, ms_between, wall_clock};
use crate::report::{Report, Row, quantile};
use crate::server::{CODETEAM, Server};
use crate::turns::Effort;

const WAKES_PER_ROUND: usize = 40;
/// A wake is two changes of one mode's target, and of each mode there may be one in 5 s.
const PACE: Duration = Duration::from_millis(5_250);
/// Whoever asks the stand-in for its calls meanwhile slows down the one that is awaited.
const ON_ITS_WAY: Duration = Duration::from_millis(100);
const INSERT: &str =
    "insert into codeteam.jobs (mode, task, repo, prompt) values ($1, 'bug_fix', '/srv/app', 'make it work')";

pub async fn measure(server: &Server, effort: Effort) -> anyhow::Result<Report> {
    let (wanted, pace) = effort.pick((5, Duration::ZERO), (WAKES_PER_ROUND * effort.rounds, PACE));
    let still = effort.pick(Duration::from_millis(300), Duration::from_millis(1_200));
    let database = server.fresh(CODETEAM).await?;
    let mut writer = server.client(&database).await?;
    let settings = [("COOL_DOWN_MS", "0")];
    let mut rig = Rig::start(server, database, still, Options::default(), &settings).await?;
    let mut floor = Floor::start(server, &rig.aws).await?;
    let (mut floors, mut wakes) = (Vec::new(), Vec::new());
    for &mode in Mode::ALL.iter().cycle().take(wanted) {
        let known = rig.asleep(pace).await?;
        floors.push(floor.wake(&rig.aws, known).await?);
        wakes.push(wake(&mut rig, &mut writer, mode, known).await?);
    }
    drop(writer);
    floor.stop(server).await?;
    rig.stop(server).await?;
    Ok(report(floors, wakes))
}

async fn wake(rig: &mut Rig, writer: &mut Client, mode: Mode, known: usize) -> anyhow::Result<f64> {
    let transaction = writer.transaction().await?;
    transaction.execute(INSERT, &[&mode.as_str()]).await?;
    let start = wall_clock();
    transaction.commit().await?;
    sleep(ON_ITS_WAY).await;
    let starts_a_task = |call: &Call| is_of(call, mode) && call.min > Some(0);
    let coming = rig.aws.calls_until(known, |calls| calls.iter().any(starts_a_task));
    let calls = rig.program.during(coming).await?;
    let call = calls.iter().find(|call| starts_a_task(call)).context("the call is gone")?;
    let took = ms_between(start, call.at_ns);
    rig.cancel_all().await?;
    Ok(took)
}

fn report(floors: Vec<f64>, wakes: Vec<f64>) -> Report {
    let ratio = quantile(&wakes, 0.5) / quantile(&floors, 0.5);
    let late = quantile(&wakes, 0.99);
    let row = |name: &str, samples: Vec<f64>| {
        let figures = [0.5, 0.9, 0.99, 1.0].map(|share| format!("{:.2}", quantile(&samples, share)));
        let cells = [vec![name.to_owned()], figures.to_vec(), vec![samples.len().to_string()]].concat();
        Row { cells, samples }
    };
    Report {
        title: "Scaler, wake: from COMMIT sent to the arrival of the call at AWS, in milliseconds".into(),
        columns: vec!["", "p50", "p90", "p99", "worst", "times"],
        rows: vec![row("bare NOTIFY and a request", floors), row("scaler", wakes)],
        ratios: vec![
            ("scaler / bare, p50".into(), ratio, "at most 3"),
            ("scaler, p99 in ms".into(), late, "at most 100"),
        ],
    }
}
