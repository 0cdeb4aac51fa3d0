//! From the commit that queued a job to its claim by a worker that slept, beside a bare LISTEN/NOTIFY round trip: a row with a
//! notification there, and a notification back. Rounds of the two alternate. The clock starts when COMMIT is sent.

use std::sync::Arc;
use std::time::Instant;

use domain::{ExitReason, JobState, Mode, Outcome, WorkerId};
use store::{Database, Doorbell, Journal, LEASE, NewWorker, Topic};
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use crate::report::{Report, quantile};
use crate::server::Server;

pub async fn measure(server: &Server, rounds: usize) -> anyhow::Result<Report> {
    let (mut there, mut back, mut claims) = (Vec::new(), Vec::new(), Vec::new());
    let mut writer = server.client().await?;
    writer
        .batch_execute(
            "create table bench_rows (id bigint generated always as identity primary key, text text)",
        )
        .await?;
    let mut ears = echo(server).await?;
    let mut claimed = sleeping_worker(server).await?;
    let admin = server.client().await?;
    for _ in 0..rounds {
        let start = bare(&mut writer).await?;
        let (heard, answered) = ears.recv().await.ok_or_else(|| anyhow::anyhow!("the echo ended"))?;
        there.push((heard - start).as_secs_f64() * 1e3);
        back.push((answered - start).as_secs_f64() * 1e3);

        asleep(&admin).await?;
        let start = queue(&mut writer).await?;
        let at = claimed.recv().await.ok_or_else(|| anyhow::anyhow!("the worker ended"))?;
        claims.push((at - start).as_secs_f64() * 1e3);
    }
    let row = |name: &str, samples: &mut Vec<f64>| {
        let figures = [0.5, 0.9, 0.99].map(|share| quantile(samples, share));
        (figures[0], [vec![name.to_owned()], figures.iter().map(|ms| format!("{ms:.2}")).collect()].concat())
    };
    let (_, one_way) = row("bare NOTIFY, heard", &mut there);
    let (round_trip, both_ways) = row("bare NOTIFY, there and back", &mut back);
    let (claim, job) = row("job queued, claimed", &mut claims);
    Ok(Report {
        title: format!("Wake: from COMMIT sent, {rounds} times each, in milliseconds"),
        columns: vec!["", "p50", "p90", "p99"],
        rows: vec![one_way, both_ways, job],
        ratios: vec![("claim / bare round trip, p50", claim / round_trip, "at most 2")],
    })
}

/// Writes a row, as queueing does, and sends a notification; gives when COMMIT was sent.
async fn bare(writer: &mut Client) -> anyhow::Result<Instant> {
    let transaction = writer.transaction().await?;
    transaction
        .batch_execute("insert into bench_rows (text) values ('make it work'); notify bench_there")
        .await?;
    let start = Instant::now();
    transaction.commit().await?;
    Ok(start)
}

async fn queue(writer: &mut Client) -> anyhow::Result<Instant> {
    let transaction = writer.transaction().await?;
    transaction
        .batch_execute(
            "insert into codeteam.jobs (mode, task, repo, prompt) values ('mechanic', 'bug_fix', 'r', 'p')",
        )
        .await?;
    let start = Instant::now();
    transaction.commit().await?;
    Ok(start)
}

/// Answers each notification with another; tells when it heard the one and when the other came.
async fn echo(server: &Server) -> anyhow::Result<mpsc::Receiver<(Instant, Instant)>> {
    let (listener, mut heard) = listen(server, "bench_there").await?;
    let (home, mut answered) = listen(server, "bench_back").await?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let _open = home;
        while let Some(at) = heard.recv().await {
            if listener.batch_execute("notify bench_back").await.is_err() {
                return;
            }
            let Some(back) = answered.recv().await else { return };
            if sender.send((at, back)).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

async fn listen(
    server: &Server,
    channel: &str,
) -> anyhow::Result<(Client, mpsc::UnboundedReceiver<Instant>)> {
    let (client, mut connection) = tokio_postgres::connect(&server.url(), NoTls).await?;
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            if matches!(message, AsyncMessage::Notification(_)) && sender.send(Instant::now()).is_err() {
                return;
            }
        }
    });
    client.batch_execute(&format!("listen {channel}")).await?;
    Ok((client, receiver))
}

/// A worker as the program has it, whose jobs are done the moment that they are claimed; tells when it claimed.
async fn sleeping_worker(server: &Server) -> anyhow::Result<mpsc::Receiver<Instant>> {
    let database = Arc::new(Database::open(server.config("codeteam_worker", "bench")?).await?);
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let worker = WorkerId(uuid::Uuid::new_v4());
        let (host, version, sandbox) = ("bench", "0", "none");
        let about =
            NewWorker { id: worker, mode: Mode::Mechanic, host, pid: 0, version, sandbox, lease: LEASE };
        database.register_worker(&about).await?;
        let mut doorbell = Doorbell::new(database.clone(), Topic::Mode(Mode::Mechanic), worker.0);
        loop {
            while let Some(claimed) = database.claim(worker, Mode::Mechanic).await? {
                let at = Instant::now();
                let journal = Journal::new(database.clone(), claimed.claim, claimed.seq);
                let end = (JobState::Succeeded, Outcome::Unverified, ExitReason::Finished);
                journal.finish(end, None, &[], tokio::time::Instant::now() + LEASE).await?;
                sender.send(at).await?;
            }
            doorbell.sleep().await?;
        }
        #[allow(unreachable_code)]
        Ok::<_, anyhow::Error>(())
    });
    Ok(receiver)
}

/// Waits until the worker sleeps, and a little longer, so that it is no more on its way to bed.
async fn asleep(admin: &Client) -> anyhow::Result<()> {
    while admin.query("select from codeteam.sleepers", &[]).await?.is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    Ok(())
}
