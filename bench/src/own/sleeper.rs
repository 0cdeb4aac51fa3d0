//! A worker that sleeps on the doorbell, and how fast it is at a job that is queued meanwhile.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_postgres::Client;

use super::{INSERT, Worker};
use crate::server::Server;

pub struct Sleeper {
    claimed: mpsc::Receiver<Instant>,
    writer: Client,
    admin: Client,
    task: AbortHandle,
}

impl Sleeper {
    pub async fn start(server: &Server, database: &str) -> anyhow::Result<Sleeper> {
        let worker = Worker::start(server, database).await?;
        let (sender, claimed) = mpsc::channel(1);
        let task = tokio::spawn(sleep_and_work(worker, sender)).abort_handle();
        let (writer, admin) = (server.client(database).await?, server.client(database).await?);
        Ok(Sleeper { claimed, writer, admin, task })
    }

    /// Milliseconds from the COMMIT of a job, as it is sent, to the answer of its claim.
    pub async fn wake(&mut self) -> anyhow::Result<f64> {
        self.asleep().await?;
        let transaction = self.writer.transaction().await?;
        transaction.batch_execute(INSERT).await?;
        let start = Instant::now();
        transaction.commit().await?;
        let at = self.claimed.recv().await.context("the worker ended")?;
        Ok((at - start).as_secs_f64() * 1e3)
    }

    /// Waits until the worker sleeps, and a little longer, so that it is no more on its way to bed.
    async fn asleep(&self) -> anyhow::Result<()> {
        while self.admin.query("select from codeteam.sleepers", &[]).await?.is_empty() {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        Ok(())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn sleep_and_work(worker: Worker, sender: mpsc::Sender<Instant>) -> anyhow::Result<()> {
    let mut doorbell = worker.doorbell();
    loop {
        while let Some(claimed) = worker.claim().await? {
            let at = Instant::now();
            worker.finish(&claimed).await?;
            sender.send(at).await?;
        }
        doorbell.sleep().await?;
    }
}
