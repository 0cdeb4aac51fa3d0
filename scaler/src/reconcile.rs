//! Observe, decide, act; again when something happened. Everything that it knows of the queue it has just read.
//!
//! What goes wrong with the fleet is logged, and told on standard output for whoever started the scaler: see `main`.

use std::collections::HashSet;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use domain::{Mode, WorkerId};
use scaling::{History, Seen as Queue, decide};
use store::{Database, Doorbell, Observation, StoreError};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::actuator::{Actuator, Mishap};
use crate::settings::Settings;

/// Between two looks while there is work and nobody rings.
const LOOK: Duration = Duration::from_secs(1);
/// Between two looks at least, however often it rings.
const BREATH: Duration = Duration::from_millis(100);
/// A look that takes longer is no look: capacity is held.
const PATIENCE: Duration = Duration::from_secs(3);

/// The scaler at work.
pub struct Reconciler<A> {
    pub database: Arc<Database>,
    pub settings: Settings,
    pub actuator: A,
    pub doorbell: Doorbell,
    /// Where decisions' time begins.
    pub born: Instant,
    pub stop: CancellationToken,
    /// Somebody is out of patience with the stop.
    pub now: CancellationToken,
}

/// The queue, and what the workers are to it.
struct Seen {
    queue: Observation,
    /// Workers that hold a job.
    busy: HashSet<WorkerId>,
    /// Workers of our own whose leases ran out.
    silent: HashSet<WorkerId>,
}

impl<A: Actuator> Reconciler<A> {
    /// Runs until it is told to stop; the actuator is stopped then, too.
    pub async fn run(mut self) -> Result<(), StoreError> {
        // What stands is what is held until there is a look: a scaler that starts knows nothing better.
        let mut histories: Vec<History> =
            Mode::ALL.iter().map(|&mode| History::found(self.actuator.running(mode))).collect();
        let ended = loop {
            let seen = self.observe().await;
            if let Some(seen) = &seen {
                self.actuator.end_silent(&seen.silent);
            }
            for (&mode, history) in Mode::ALL.iter().zip(&mut histories) {
                self.reconcile(mode, history, seen.as_ref()).await;
            }
            let quiet = seen.is_some_and(|seen| Mode::ALL.iter().all(|&mode| is_quiet(&seen.queue, mode)))
                && histories.iter().all(|history| history.target == 0)
                && Mode::ALL.iter().all(|&mode| self.actuator.running(mode) == 0);
            let room = Mode::ALL
                .iter()
                .zip(&histories)
                .any(|(&mode, history)| history.target < self.settings.limits(mode).max);
            let stop = self.stop.clone();
            tokio::select! {
                () = stop.cancelled() => break Ok(()),
                woken = self.rest(quiet, room) => if let Err(error) = woken { break Err(error) },
            }
        };
        self.actuator.stop(&self.now).await;
        ended
    }

    /// None: the database did not answer.
    async fn observe(&self) -> Option<Seen> {
        let workers = self.actuator.workers();
        let look = async {
            let queue = self.database.observe().await?;
            let busy = self.database.busy_workers().await?.into_iter().collect();
            let silent = match workers.as_slice() {
                [] => HashSet::new(),
                workers => self.database.silent_workers(workers).await?.into_iter().collect(),
            };
            Ok::<_, StoreError>(Seen { queue, busy, silent })
        };
        match timeout(PATIENCE, look).await {
            Ok(Ok(seen)) => Some(seen),
            Ok(Err(error)) => {
                tracing::warn!("the queue cannot be seen: {}", service::exit::one_line(&error));
                None
            }
            Err(_) => {
                tracing::warn!("the queue cannot be seen: the database is slow");
                None
            }
        }
    }

    async fn reconcile(&mut self, mode: Mode, history: &mut History, seen: Option<&Seen>) {
        let observation = seen.map(|seen| seen.queue.of(mode));
        let queue = observation.map(|seen| Queue {
            ready: seen.ready,
            running: seen.running,
            busy: seen.busy,
            age: Duration::ZERO,
        });
        let decision = decide(queue.as_ref(), &self.settings.limits(mode), history, self.born.elapsed());
        let previous = std::mem::replace(history, decision.history).target;
        if decision.target != previous {
            let reason = decision.why.to_string();
            tracing::info!(%mode, previous, target = decision.target, reason, "decided");
            self.record(mode, previous, decision.target, &reason, observation).await;
        }
        // Without a look nobody is known to be idle, so nothing is touched.
        let Some(seen) = seen else { return };
        for mishap in self.actuator.set(mode, decision.target, &seen.busy).await {
            tell(&mishap);
        }
    }

    /// A decision holds whether or not it can be written down.
    async fn record(
        &self,
        mode: Mode,
        previous: u32,
        target: u32,
        reason: &str,
        observation: Option<&store::ModeObservation>,
    ) {
        let seen = serde_json::to_value(observation).unwrap_or_default();
        let service = format!("{mode}-worker");
        if let Err(error) = self.database.record_decision(&service, (previous, target), reason, &seen).await {
            tracing::warn!("the decision is not written down: {}", service::exit::one_line(&error));
        }
    }

    /// Until something may have changed. Asleep, only the doorbell counts. Awake, it hears new jobs as long as there is `room` for
    /// another worker; without room a ring would change nothing, and inserts are spared it.
    async fn rest(&mut self, quiet: bool, room: bool) -> Result<(), StoreError> {
        if quiet {
            return self.doorbell.sleep().await.map(drop);
        }
        if !room {
            self.doorbell
                .wake()
                .await
                .unwrap_or_else(|error| tracing::debug!(%error, "still listed as a sleeper"));
        }
        tokio::select! {
            () = sleep(LOOK) => {}
            () = self.actuator.changed() => {}
            () = heard(&mut self.doorbell), if room => sleep(BREATH).await,
        }
        Ok(())
    }
}

fn tell(mishap: &Mishap) {
    tracing::warn!(stillborn = mishap.stillborn, "{}", mishap.mishap);
    if let Ok(line) = serde_json::to_string(mishap) {
        // Nobody need listen.
        _ = writeln!(std::io::stdout(), "{line}");
    }
}

/// Returns when it rings; never when the bell is out of reach, since there is a look each second.
async fn heard(doorbell: &mut Doorbell) {
    if doorbell.rung().await.is_err() {
        std::future::pending().await
    }
}

fn is_quiet(seen: &Observation, mode: Mode) -> bool {
    let seen = seen.of(mode);
    seen.ready == 0 && seen.running == 0
}
