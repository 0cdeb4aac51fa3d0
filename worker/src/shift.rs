//! A worker's life: claim, work, claim again; sleep when there is nothing to claim; go when told.

use store::{Backoff, Doorbell, LEASE, NewWorker, Topic, Wake};
use tokio::time::{Duration, Instant};

use crate::attempt;
use crate::worker::Worker;

impl Worker {
    pub async fn work(self) -> anyhow::Result<()> {
        self.register().await?;
        tracing::info!(worker = %self.id, mode = %self.settings.mode, "at the door");
        let ended = self.until_stopped().await;
        let soon = Instant::now() + Duration::from_secs(5);
        if let Err(error) = self.database.insist(soon, || self.database.retire_worker(self.id)).await {
            tracing::warn!(%error, "this worker stays listed until its heartbeat is old");
        }
        ended
    }

    async fn until_stopped(&self) -> anyhow::Result<()> {
        let mode = self.settings.mode;
        let mut doorbell = Doorbell::new(self.database.clone(), Topic::Mode(mode), self.id.0);
        let mut backoff = Backoff::default();
        while !self.stop.is_asked() {
            let asked_at = Instant::now();
            match self.database.claim(self.id, mode).await {
                Ok(Some(claimed)) => {
                    attempt::work_on(self, claimed, asked_at).await;
                    backoff = Backoff::default();
                    continue;
                }
                Ok(None) => {}
                // The doorbell waits for the database to come back.
                Err(error) if error.is_transient() => tracing::warn!(%error, "no claim could be made"),
                Err(error) => return Err(error.into()),
            }
            tokio::select! {
                woken = doorbell.sleep() => if woken? == Wake::Ready {
                    // There was a job, and yet there was none to claim: somebody holds its row. Asking at once would spin.
                    tokio::time::sleep(backoff.longer()).await;
                },
                () = self.stop.asked() => {}
            }
        }
        Ok(())
    }

    async fn register(&self) -> anyhow::Result<()> {
        let host =
            nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let worker = NewWorker {
            id: self.id,
            mode: self.settings.mode,
            host: &host,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION"),
            sandbox: self.sandbox.level().name(),
            lease: LEASE,
        };
        let soon = Instant::now() + Duration::from_secs(30);
        Ok(self.database.insist(soon, || self.database.register_worker(&worker)).await?)
    }
}
