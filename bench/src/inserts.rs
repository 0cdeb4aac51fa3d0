//! Jobs queued per second, one INSERT and one commit each, from many writers at once: without any trigger, with the doorbell
//! while nobody sleeps and while somebody does, and with a NOTIFY in each. The four take turns, several rounds.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::report::{Report, quantile};
use crate::server::Server;

const INSERT: &str = "insert into codeteam.jobs (mode, task, repo, prompt) values ('mechanic', 'bug_fix', '/srv/app', 'make it work')";
const RESET: &str = "truncate codeteam.jobs cascade; delete from codeteam.sleepers;
    alter table codeteam.jobs disable trigger doorbell;
    drop trigger if exists notify_each on codeteam.jobs";
const SLEEPER: &str = "insert into codeteam.sleepers (topic, sleeper, backend)
    values ('mechanic', gen_random_uuid(), pg_backend_pid())";
const NOTIFY_EACH: &str = "
    create or replace function bench_notify() returns trigger language plpgsql
      as 'begin perform pg_notify(''codeteam_mechanic'', ''''); return null; end';
    create trigger notify_each after insert on codeteam.jobs for each row execute function bench_notify()";

pub async fn measure(server: &Server, writers: usize, rounds: usize, seconds: f64) -> anyhow::Result<Report> {
    let on = "alter table codeteam.jobs enable trigger doorbell";
    let settings = [
        ("no trigger", String::new()),
        ("doorbell, nobody sleeps", on.to_owned()),
        ("doorbell, somebody sleeps", format!("{on}; {SLEEPER}")),
        ("NOTIFY in each", NOTIFY_EACH.to_owned()),
    ];
    let admin = server.client().await?;
    admin.batch_execute("set client_min_messages = warning").await?;
    let mut clients = Vec::new();
    for _ in 0..writers {
        clients.push(server.client().await?);
    }
    let mut rates = vec![Vec::new(); settings.len()];
    for _ in 0..rounds {
        for (rates, (_, prepare)) in rates.iter_mut().zip(&settings) {
            admin.batch_execute(RESET).await?;
            admin.batch_execute(prepare).await?;
            admin.batch_execute("checkpoint").await?;
            rates.push(run(&mut clients, Duration::from_secs_f64(seconds)).await?);
        }
    }
    admin.batch_execute(RESET).await?;
    admin.batch_execute(on).await?;
    let medians: Vec<f64> = rates.iter().map(|rates| quantile(&mut rates.clone(), 0.5)).collect();
    let rows = settings.iter().zip(&rates).map(|((name, _), rates)| {
        let mut rates = rates.clone();
        let [low, median, high] = [0.0, 0.5, 1.0].map(|share| quantile(&mut rates, share));
        vec![
            name.to_string(),
            format!("{median:.0}"),
            format!("{low:.0} to {high:.0}"),
            format!("{:.2}", median / medians[0]),
        ]
    });
    Ok(Report {
        title: format!(
            "Inserts: jobs queued per second, {writers} writers, {rounds} rounds of {seconds} s each"
        ),
        columns: vec!["", "median", "spread", "share"],
        rows: rows.collect(),
        ratios: vec![
            ("doorbell / no trigger, nobody sleeps", medians[1] / medians[0], "at least 0.7"),
            ("doorbell / NOTIFY in each, nobody sleeps", medians[1] / medians[3], "above 1"),
        ],
    })
}

/// All writers at once for `time`; gives the jobs per second.
async fn run(clients: &mut Vec<Client>, time: Duration) -> anyhow::Result<f64> {
    let start = Instant::now();
    let mut writing = JoinSet::new();
    for client in clients.drain(..) {
        writing.spawn(async move {
            let insert = client.prepare(INSERT).await?;
            let mut done = 0_u32;
            while start.elapsed() < time {
                client.execute(&insert, &[]).await?;
                done += 1;
            }
            Ok::<_, tokio_postgres::Error>((client, done))
        });
    }
    let mut total = 0.0;
    while let Some(writer) = writing.join_next().await {
        let (client, done) = writer.context("a writer panicked")??;
        clients.push(client);
        total += f64::from(done);
    }
    Ok(total / start.elapsed().as_secs_f64())
}
