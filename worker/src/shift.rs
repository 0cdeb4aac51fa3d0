//! A worker's life: claim, work, claim again; sleep when there is nothing to claim; go when told.
//!
//! On ECS it is also: protect the task before the first claim of a row, end that before each sleep (see
//! [`crate::protection`]). What comes first here matters: at no moment is a job held by a task that may be scaled in.

use store::{Backoff, Doorbell, LEASE, NewWorker, Topic, Wake};
use tokio::time::{Duration, Instant, sleep, timeout};

use crate::attempt;
use crate::protection::Protection;
use crate::worker::Worker;

/// How long a worker that starts waits for the database.
const START: Duration = Duration::from_secs(30);
/// How long one that goes waits for it, to be listed as gone.
const FAREWELL: Duration = Duration::from_secs(5);

impl Worker {
    /// Lives it, with a pulse.
    pub async fn work(self, mut protection: Protection) -> anyhow::Result<()> {
        tokio::select! {
            ended = self.shift(&mut protection) => ended,
            never = self.pulse.beat() => match never {},
        }
    }

    async fn shift(&self, protection: &mut Protection) -> anyhow::Result<()> {
        self.pulse.until(Instant::now() + START);
        tokio::select! {
            registered = self.register() => registered?,
            () = self.stop.asked() => {} // a registration may be under way all the same, so it is taken back below
        }
        tracing::info!(worker = %self.id, mode = %self.settings.mode, "at the door");
        let ended = self.until_stopped(protection).await;
        self.pulse.until(Instant::now());
        tokio::join!(self.retire(), protection.lift());
        ended
    }

    async fn until_stopped(&self, protection: &mut Protection) -> anyhow::Result<()> {
        let mut doorbell = Doorbell::new(self.database.clone(), Topic::Mode(self.settings.mode), self.id.0);
        let mut backoff = Backoff::default();
        while !self.stop.is_asked() {
            if self.work_off(protection).await? {
                backoff = Backoff::default();
            }
            if self.stop.is_asked() {
                break; // its farewell ends the protection too
            }
            // Nothing is held.
            protection.lift().await;
            self.pulse.rests();
            tokio::select! {
                woken = doorbell.sleep() => if woken? == Wake::Ready {
                    // There is a job, and yet none was claimed: somebody holds its row, or the agent refused. Asking at once would spin.
                    let pause = backoff.longer().max(protection.quiet());
                    tokio::select! {
                        () = sleep(pause) => {}
                        () = self.stop.asked() => {}
                    }
                },
                () = protection.lift_meanwhile() => {}
                () = self.stop.asked() => {}
            }
        }
        Ok(())
    }

    /// Claims and works until there is nothing to claim, or no claim may be made. Says whether there was work.
    async fn work_off(&self, protection: &mut Protection) -> anyhow::Result<bool> {
        let mut worked = false;
        while !self.stop.is_asked() {
            self.pulse.until(Instant::now());
            let protected = tokio::select! {
                protected = protection.put_up() => protected,
                () = self.stop.asked() => false,
            };
            if !protected {
                break;
            }
            let asked_at = Instant::now();
            match self.database.claim(self.id, self.settings.mode).await {
                Ok(Some(claimed)) => {
                    self.pulse.until(asked_at + self.settings.caps(&claimed.job.caps).time);
                    protection.keep_during(attempt::work_on(self, claimed, asked_at)).await;
                    worked = true;
                }
                Ok(None) => break,
                // The doorbell waits for the database to come back.
                Err(error) if error.is_transient() => {
                    tracing::warn!(%error, "no claim could be made");
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(worked)
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
        let soon = Instant::now() + START;
        Ok(self.database.insist(soon, || self.database.register_worker(&worker)).await?)
    }

    async fn retire(&self) {
        let soon = Instant::now() + FAREWELL;
        let retired = timeout(FAREWELL, self.database.insist(soon, || self.database.retire_worker(self.id)));
        let why = match retired.await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the database does not answer".to_owned(),
        };
        tracing::warn!("this worker stays listed until its heartbeat is old: {why}");
    }
}
