//! The floor of a wake: a bare LISTEN/NOTIFY, a row with a notification there and a notification back.

use std::time::Instant;

use anyhow::Context;
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use crate::server::Server;

pub struct Bare {
    writer: Client,
    ears: mpsc::Receiver<(Instant, Instant)>,
}

impl Bare {
    pub async fn start(server: &Server, database: &str) -> anyhow::Result<Bare> {
        let writer = server.client(database).await?;
        let table = "create table bench_rows (id bigint generated always as identity primary key, text text)";
        writer.batch_execute(table).await?;
        Ok(Bare { writer, ears: echo(server, database).await? })
    }

    /// Writes a row, as queueing does, and sends a notification. Gives the milliseconds from COMMIT, as it is sent, until it was
    /// heard and until its answer was.
    pub async fn round(&mut self) -> anyhow::Result<(f64, f64)> {
        let transaction = self.writer.transaction().await?;
        transaction
            .batch_execute("insert into bench_rows (text) values ('make it work'); notify bench_there")
            .await?;
        let start = Instant::now();
        transaction.commit().await?;
        let (heard, answered) = self.ears.recv().await.context("the echo ended")?;
        Ok(((heard - start).as_secs_f64() * 1e3, (answered - start).as_secs_f64() * 1e3))
    }
}

/// Answers each notification with another; tells when it heard the one and when the other came.
async fn echo(server: &Server, database: &str) -> anyhow::Result<mpsc::Receiver<(Instant, Instant)>> {
    let (listener, mut heard) = listen(server, database, "bench_there").await?;
    let (home, mut answered) = listen(server, database, "bench_back").await?;
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

/// A client that listens on `channel`, and when it heard what.
pub async fn listen(
    server: &Server,
    database: &str,
    channel: &str,
) -> anyhow::Result<(Client, mpsc::UnboundedReceiver<Instant>)> {
    let (client, mut connection) = tokio_postgres::connect(&server.url(database), NoTls).await?;
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
