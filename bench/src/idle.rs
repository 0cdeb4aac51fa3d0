//! What a worker costs that has nothing to do: the statements that it sends meanwhile. The server counts them, for all alike and
//! at the same time, since nobody is in another's way; what they do while they start is left out.

use std::time::Duration;

use anyhow::Context;
use futures_util::future::join_all;
use tokio::time::sleep;

use crate::own::Worker;
use crate::peers::{Peer, Setting};
use crate::report::{Report, Row};
use crate::server::{CODETEAM, Server};
use crate::turns::{Effort, Trouble, Who, tolerate};

pub async fn measure(server: &Server, peers: &[Peer], effort: Effort) -> anyhow::Result<Report> {
    let mut contestants = vec![Who::Codeteam];
    contestants.extend(peers.iter().flat_map(|peer| Setting::ALL.map(|setting| Who::Peer(peer, setting))));
    // All of the peers' programs start at once.
    let settle = Duration::from_secs(if peers.is_empty() { 2 } else { 15 });
    let window = effort.pick(Duration::from_secs(3), Duration::from_secs(120));
    let counts: Vec<Result<i64, Trouble>> = match tolerate(server.load_statement_counts().await)? {
        Ok(()) => {
            let counts = contestants.iter().map(|&who| idle(server, who, settle, window));
            join_all(counts).await.into_iter().map(tolerate).collect::<anyhow::Result<_>>()?
        }
        Err(trouble) => contestants.iter().map(|_| Err(trouble.clone())).collect(),
    };
    let minutes = window.as_secs_f64() / 60.0;
    let mut own = f64::NAN;
    let rows = contestants.iter().zip(counts).map(|(&who, count)| {
        let (figures, samples) = match &count {
            Ok(count) => {
                let rate = *count as f64 / minutes;
                if matches!(who, Who::Codeteam) {
                    own = rate;
                }
                (format!("{rate:.1}"), vec![rate])
            }
            Err(_) => ("-".to_owned(), Vec::new()),
        };
        let remark = count.err().map(|Trouble(why)| why).unwrap_or_default();
        Row { cells: vec![who.name(), who.setting().to_owned(), figures, remark], samples }
    });
    Ok(Report {
        title: format!("Idle: statements of one worker without work, during {} s", window.as_secs()),
        columns: vec!["", "setting", "a minute", "remark"],
        rows: rows.collect(),
        ratios: vec![("codeteam, statements a minute".into(), own, "at most 2")],
    })
}

async fn idle(server: &Server, who: Who<'_>, settle: Duration, window: Duration) -> anyhow::Result<i64> {
    let database = match who {
        Who::Peer(peer, _) => peer.database(server).await?,
        Who::Codeteam | Who::Floor => server.fresh(CODETEAM).await?,
    };
    count_statements(server, &database).await?;
    let count = async {
        sleep(settle).await;
        let before = statements(server, &database).await?;
        sleep(window).await;
        anyhow::Ok(statements(server, &database).await? - before)
    };
    let counted = match who {
        Who::Peer(peer, setting) => {
            let seconds = (settle + window).as_secs() + 2;
            let arguments = ["idle", "--seconds", &seconds.to_string(), "--setting", setting.name()];
            let limit = Duration::from_secs(seconds + 60);
            let arguments = arguments.map(str::to_owned);
            let (count, ended) = tokio::join!(count, peer.ask_in(server, &database, &arguments, limit));
            ended.and(count)
        }
        Who::Codeteam | Who::Floor => {
            let worker = Worker::start(server, &database).await?;
            let mut doorbell = worker.doorbell();
            tokio::select! {
                count = count => count,
                woken = doorbell.sleep() => woken.map_err(Into::into).and_then(|_| {
                    Err(anyhow::anyhow!("the worker woke though there was no job"))
                }),
            }
        }
    };
    server.drop(&database).await?;
    counted
}

/// Has the statements counted of all who connect to this database from now on.
pub async fn count_statements(server: &Server, database: &str) -> anyhow::Result<()> {
    let track = format!("alter database {database} set \"pg_stat_statements.track\" = 'top'");
    Ok(server.client("postgres").await?.batch_execute(&track).await?)
}

/// How many statements the server has carried out in this database.
pub async fn statements(server: &Server, database: &str) -> anyhow::Result<i64> {
    let sum = "select coalesce(sum(calls), 0)::bigint from pg_stat_statements
        where dbid = (select oid from pg_database where datname = $1)";
    let row = server.client("postgres").await?.query_one(sum, &[&database]).await;
    Ok(row.context("the statements cannot be counted")?.get(0))
}
