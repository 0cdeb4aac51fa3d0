//! Keeps one claim alive, and says when the work on it must stop.
//!
//! The lease's end is reckoned on this machine's monotonic clock from before the last heartbeat that succeeded was sent, so
//! that it never runs out here later than in the database.

use std::sync::Arc;
use std::time::Duration;

use agent::Halt;
use store::{Claim, Database, LEASE, Summons, Verdict};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::stop::Stop;

/// Three heartbeats a lease: one may be lost.
const BEAT: Duration = Duration::from_secs(10);
/// What it takes to stop a command before somebody else may start one.
const MARGIN: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_secs(1);

/// How long a write may wait for a database that is away. Shorter than what is left of a lease at its last heartbeat would be
/// no use; longer would write under a lease that is gone, which the fence refuses anyway.
const PATIENCE: Duration = Duration::from_secs(25);

/// Until when a write that is asked for now may wait.
pub fn write_until() -> Instant {
    Instant::now() + PATIENCE
}

/// A claim that is being kept. Dropping it ends the heartbeats.
pub struct Lease {
    halt: watch::Receiver<Option<Halt>>,
    keeper: JoinHandle<()>,
    stopper: JoinHandle<()>,
}

impl Lease {
    /// Keeps `claim`, which was asked for at `claimed_at`. `grace` after the worker is told to go, the work must stop.
    pub fn keep(
        database: Arc<Database>,
        claim: Claim,
        claimed_at: Instant,
        stop: Stop,
        grace: Duration,
    ) -> Lease {
        let (sender, halt) = watch::channel(None);
        let sender = Arc::new(sender);
        let keeper = tokio::spawn(keep(database, claim, claimed_at, sender.clone()));
        let stopper = tokio::spawn(async move {
            stop.too_late(grace).await;
            say(&sender, Halt::Interrupted);
        });
        Lease { halt, keeper, stopper }
    }

    /// Where the word to stop comes.
    pub fn halt(&self) -> watch::Receiver<Option<Halt>> {
        self.halt.clone()
    }

    /// The word, if it was said.
    pub fn halted(&self) -> Option<Halt> {
        self.halt.borrow().clone()
    }

    /// Runs `work` until it is done or must stop.
    pub async fn race<T>(&self, work: impl Future<Output = T>) -> Result<T, Halt> {
        let mut halt = self.halt.clone();
        tokio::select! {
            done = work => Ok(done),
            said = halt.wait_for(Option::is_some) => {
                Err(said.ok().and_then(|said| said.clone()).unwrap_or(Halt::Interrupted))
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.keeper.abort();
        self.stopper.abort();
    }
}

/// A lost lease is the last word: it outweighs every other.
fn say(sender: &watch::Sender<Option<Halt>>, halt: Halt) {
    sender.send_if_modified(|said| {
        let news = said.is_none() || (halt == Halt::LeaseLost && *said != Some(Halt::LeaseLost));
        if news {
            *said = Some(halt);
        }
        news
    });
}

async fn keep(
    database: Arc<Database>,
    claim: Claim,
    claimed_at: Instant,
    sender: Arc<watch::Sender<Option<Halt>>>,
) {
    let lifetime = LEASE - MARGIN;
    // A claim leaves a lease alone that has two thirds of its time before it.
    let mut good_until = claimed_at + LEASE * 2 / 3 - MARGIN;
    let mut next = claimed_at + BEAT;
    let mut summons = Summons::new(database.clone(), claim.worker);
    loop {
        tokio::select! {
            () = sleep_until(next) => {}
            () = summoned(&mut summons) => {}
        }
        let sent = Instant::now();
        if sent >= good_until {
            tracing::warn!(job = %claim.job, "the lease was not renewed in time");
            return say(&sender, Halt::LeaseLost);
        }
        match timeout_at(good_until, database.heartbeat(claim.worker, &[claim])).await {
            Ok(Ok(verdicts)) => {
                match verdicts.first() {
                    Some(Verdict::Ok) => {}
                    // The work that is paid for goes on; the next call will not be reserved, and then the job is given back.
                    Some(Verdict::Budget) => tracing::info!(job = %claim.job, "a budget is spent"),
                    Some(Verdict::Cancel) => say(&sender, Halt::Cancelled),
                    Some(Verdict::Lost) | None => return say(&sender, Halt::LeaseLost),
                }
                good_until = sent + lifetime;
                next = sent + BEAT;
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, job = %claim.job, "a heartbeat failed; it is tried again");
                next = (sent + AGAIN).min(good_until);
            }
            Err(_) => {}
        }
    }
}

/// Returns when somebody rings for this worker; never when the bell is out of reach, since the heartbeats tell then.
async fn summoned(summons: &mut Summons) {
    if summons.next().await.is_err() {
        std::future::pending().await
    }
}
