//! A day in half an hour: bursts of jobs at random, tasks that take a while to start, and workers that are as many as those tasks. What
//! cannot be made to pass faster is the scaler's own: a look each second while there is work, and one change of the target in 5 s.

mod crew;
mod diary;
mod plan;

use std::time::Duration;

use domain::Mode;
use system_tests::aws::{AwsStandIn, Call, Options};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_postgres::Client;

use self::crew::Place;
use self::diary::{Change, Diary, Idling};
use self::plan::Burst;
use super::{REGISTER, Rig, is_of, stands_at_zero};
use crate::report::{Report, Row, quantile};
use crate::server::{CODETEAM, Server};
use crate::turns::Effort;

/// Of each round.
const LENGTH: Duration = Duration::from_secs(6 * 60);
const SEED: u64 = 7;
/// A day's 30 to 50 s until a task runs, and its minute of cooling down.
const START: (Duration, Duration) = (Duration::from_millis(625), Duration::from_millis(415));
const COOL_DOWN_MS: &str = "1250";
/// The largest fleet, as the scaler has it by default.
const MOST: i64 = 10;
const INSERT: &str = "insert into codeteam.jobs (mode, task, repo, prompt)
    select 'mechanic', 'bug_fix', '/srv/app', ms::text from unnest($1::integer[]) ms";
const OPEN: &str = "select count(*) from codeteam.jobs where state in ('queued', 'running')";
const WAITS: &str =
    "select (extract(epoch from started_at - created_at) * 1000)::float8, state = 'succeeded' and attempt = 1
    from codeteam.jobs";

/// What came of a day.
struct Day {
    bursts: usize,
    /// Of each job, in milliseconds.
    waits: Vec<f64>,
    /// Jobs that did not succeed at their first attempt.
    troubled: usize,
    calls: Vec<Call>,
    idling: Idling,
}

pub async fn measure(server: &Server, effort: Effort) -> anyhow::Result<Report> {
    let length = LENGTH * u32::try_from(effort.rounds)?;
    let bursts = plan::plan(length, SEED)?;
    let database = server.fresh(CODETEAM).await?;
    let options = Options { start: START.0, start_spread: START.1, ..Options::default() };
    let settings = [("COOL_DOWN_MS", COOL_DOWN_MS)];
    let mut rig =
        Rig::start(server, database.clone(), Duration::from_millis(1_200), options, &settings).await?;
    let diary = Diary::default();
    let known = rig.aws.calls(0).await.len();
    let Rig { aws, program, admin, .. } = &mut rig;
    let place = Place { server, database: &database, aws, diary: &diary };
    let day = async {
        tokio::select! {
            lived = live(admin, aws, &bursts, &diary) => lived,
            ended = crew::work(place) => ended,
        }
    };
    program.during(day).await??;
    let calls = rig.aws.calls(known).await;
    let rows = rig.admin.query(WAITS, &[]).await?;
    let day = Day {
        bursts: bursts.len(),
        waits: rows.iter().filter_map(|row| row.get::<_, Option<f64>>(0)).collect(),
        troubled: rows.iter().filter(|row| !row.get::<_, bool>(1)).count(),
        calls,
        idling: diary.idling(),
    };
    rig.stop(server).await?;
    Ok(report(length, day))
}

/// Queues what the plan says, and waits until all is done and the fleet is gone.
async fn live(admin: &Client, aws: &AwsStandIn, bursts: &[Burst], diary: &Diary) -> anyhow::Result<()> {
    let start = Instant::now();
    for burst in bursts {
        sleep_until(start + burst.at).await;
        diary.note(Instant::now(), Change::Queued(burst.jobs_ms.len()));
        admin.execute(INSERT, &[&burst.jobs_ms]).await?;
    }
    while admin.query_one(OPEN, &[]).await?.get::<_, i64>(0) > 0 {
        sleep(Duration::from_millis(500)).await;
    }
    aws.calls_until(0, |calls| stands_at_zero(calls, Mode::Mechanic)).await;
    aws.fleet_until(|fleet| fleet.tasks.iter().all(|task| task.state == "stopped")).await;
    Ok(())
}

fn report(length: Duration, day: Day) -> Report {
    let Day { bursts, waits, troubled, calls, idling } = day;
    let jobs = waits.len() as f64;
    let targets: Vec<&Call> =
        calls.iter().filter(|call| call.operation == REGISTER && is_of(call, Mode::Mechanic)).collect();
    let wakes = targets.windows(2).filter(|two| two[0].max == Some(0) && two[1].max > Some(0)).count();
    let first_wakes = targets.first().is_some_and(|call| call.max > Some(0));
    let outside = |call: &&Call| call.min != call.max || !(Some(0)..=Some(MOST)).contains(&call.max);
    let outside = targets.iter().copied().filter(outside).count();
    let of = |name: &str| calls.iter().filter(|call| call.operation == name).count() as f64;
    let row = |name: &str, value: f64| Row {
        cells: vec![name.into(), format!("{value:.0}")],
        samples: vec![value],
    };
    let wait = |name: &str, share| row(name, quantile(&waits, share));
    let mut rows = vec![
        row("bursts", bursts as f64),
        row("jobs", jobs),
        row("jobs not done at the first attempt", troubled as f64),
        row("wakes from an empty fleet", (wakes + usize::from(first_wakes)) as f64),
        row("calls: targets", of(REGISTER)),
        row("calls: metrics", of("PutMetricData")),
        row("calls: others", calls.len() as f64 - of(REGISTER) - of("PutMetricData")),
        wait("wait p50, ms", 0.5),
        wait("wait p99, ms", 0.99),
        row("job waits beside a free worker: the longest, ms", idling.longest_ms),
    ];
    rows.push(Row {
        cells: vec![
            "job waits beside a free worker: a job's share, ms".into(),
            format!("{:.2}", idling.sum_ms / jobs),
        ],
        samples: vec![idling.sum_ms],
    });
    let (first, last) = (START.0.as_millis(), (START.0 + START.1).as_millis());
    Report {
        title: format!(
            "Scaler, a day in {} minutes: tasks start in {first} to {last} ms, cool-down {COOL_DOWN_MS} ms",
            length.as_secs() / 60
        ),
        columns: vec!["", "figure"],
        rows,
        ratios: vec![
            ("targets out of bounds".into(), outside as f64, "none"),
            ("waits beside a free worker, ms a job".into(), idling.sum_ms / jobs, "a claim's own time"),
        ],
    }
}
