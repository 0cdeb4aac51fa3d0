//! Jobs queued per second, one INSERT and one commit each, by one writer and by many at once: without any trigger; with all that an
//! arrival is (checks, place in line, budget) but the doorbell; with the doorbell too while nobody sleeps, and while somebody does and
//! is not woken by it (a worker that is woken works, and then nobody sleeps); and with a NOTIFY in each instead of all that. They
//! take turns, several rounds.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::own::INSERT;
use crate::report::{Report, Row, median, spread};
use crate::server::{CODETEAM, Server};
use crate::turns::Effort;

const WRITERS: [usize; 3] = [1, 8, 32];
const NO_TRIGGERS: &str = "alter table codeteam.jobs disable trigger user";
const NO_DOORBELL: &str =
    "do $$ declare arrive text := pg_get_functiondef('codeteam.jobs_arrive'::regproc); begin
    assert arrive like '%exists (select from sleepers)%';
    execute replace(arrive, 'exists (select from sleepers)', 'false');
  end $$";
const SLEEPER: &str = "insert into codeteam.sleepers (topic, sleeper, backend)
    values ('mechanic', gen_random_uuid(), pg_backend_pid())";
const NOTIFY_EACH: &str = "
    create or replace function bench_notify() returns trigger language plpgsql
      as 'begin perform pg_notify(''codeteam_mechanic'', ''''); return null; end';
    create trigger notify_each after insert on codeteam.jobs for each row execute function bench_notify()";

pub async fn measure(server: &Server, effort: Effort) -> anyhow::Result<Report> {
    let time = effort.pick(Duration::from_millis(300), Duration::from_secs(2));
    let settings = [
        ("no trigger", NO_TRIGGERS.to_owned()),
        ("arrival without doorbell", NO_DOORBELL.to_owned()),
        ("arrival, nobody sleeps", String::new()),
        ("arrival, somebody sleeps on", SLEEPER.to_owned()),
        ("NOTIFY in each", format!("{NO_TRIGGERS}; {NOTIFY_EACH}")),
    ];
    let (mut rows, mut ratios) = (Vec::new(), Vec::new());
    for writers in WRITERS {
        let mut rates = vec![Vec::new(); settings.len()];
        for _ in 0..effort.rounds {
            for (rates, (_, prepare)) in rates.iter_mut().zip(&settings) {
                rates.push(run(server, prepare, writers, time).await?);
            }
        }
        let medians: Vec<f64> = rates.iter().map(|rates| median(rates)).collect();
        for (((name, _), samples), middle) in settings.iter().zip(rates).zip(&medians) {
            let share = format!("{:.2}", middle / medians[0]);
            let start = vec![writers.to_string(), name.to_string(), format!("{middle:.0}")];
            rows.push(Row { cells: [start, vec![spread(&samples), share]].concat(), samples });
        }
        let ratio = |what: &str, place: usize| format!("{writers} writers, {what} / {}", settings[place].0);
        ratios.extend([
            (ratio("nobody sleeps", 0), medians[2] / medians[0], "at least 0.85"),
            (ratio("nobody sleeps", 1), medians[2] / medians[1], "at least 0.85"),
            (ratio("somebody sleeps on", 4), medians[3] / medians[4], "about 1"),
            (ratio("nobody sleeps", 4), medians[2] / medians[4], "above 1"),
        ]);
    }
    Ok(Report {
        title: format!("Inserts: jobs queued per second, {} rounds of {time:?} each", effort.rounds),
        columns: vec!["writers", "how", "median", "spread", "share"],
        rows,
        ratios,
    })
}

/// All writers at once for `time`, in a database of their own; gives the jobs per second.
async fn run(server: &Server, prepare: &str, writers: usize, time: Duration) -> anyhow::Result<f64> {
    let database = server.fresh(CODETEAM).await?;
    let admin = server.client(&database).await?;
    admin.batch_execute(prepare).await?;
    let mut clients = Vec::new();
    for _ in 0..writers {
        clients.push(server.client(&database).await?);
    }
    let start = Instant::now();
    let mut writing: JoinSet<_> = clients.into_iter().map(|client| write(client, start + time)).collect();
    let mut total = 0.0;
    while let Some(jobs) = writing.join_next().await {
        total += f64::from(jobs.context("a writer panicked")??);
    }
    let rate = total / start.elapsed().as_secs_f64();
    server.drop(&database).await?;
    Ok(rate)
}

/// One writer; gives how many jobs it queued.
async fn write(client: Client, until: Instant) -> anyhow::Result<u32> {
    let insert = client.prepare(INSERT).await?;
    let mut jobs = 0;
    while Instant::now() < until {
        client.execute(&insert, &[]).await?;
        jobs += 1;
    }
    Ok(jobs)
}
