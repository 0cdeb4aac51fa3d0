//! Observe, decide, act; again when something happened. Everything that it knows of the queue it has just read.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::Mode;
use store::{Database, Doorbell, Observation, StoreError};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::actuator::Actuator;
use crate::decide::{History, decide};
use crate::settings::Settings;

/// Between two looks while there is work.
const LOOK: Duration = Duration::from_secs(1);
/// A look that takes longer is no look: capacity is held.
const PATIENCE: Duration = Duration::from_secs(3);

/// The scaler at work.
pub struct Reconciler<A> {
    pub database: Arc<Database>,
    pub settings: Settings,
    pub actuator: A,
    pub doorbell: Doorbell,
    pub stop: CancellationToken,
}

impl<A: Actuator> Reconciler<A> {
    /// Runs until it is told to stop; the actuator is stopped then, too.
    pub async fn run(mut self) -> Result<(), StoreError> {
        let mut histories = [History::default(); Mode::ALL.len()];
        let ended = loop {
            let seen = self.observe().await;
            for (&mode, history) in Mode::ALL.iter().zip(&mut histories) {
                self.reconcile(mode, history, seen.as_ref()).await;
            }
            let quiet = seen.is_some_and(|(seen, _)| Mode::ALL.iter().all(|&mode| is_quiet(&seen, mode)))
                && histories.iter().all(|history| history.target == 0)
                && Mode::ALL.iter().all(|&mode| self.actuator.running(mode) == 0);
            let stop = self.stop.clone();
            tokio::select! {
                () = stop.cancelled() => break Ok(()),
                woken = self.rest(quiet) => if let Err(error) = woken { break Err(error) },
            }
        };
        self.actuator.stop().await;
        ended
    }

    /// The queue, and the process ids of the workers that hold a job. None: the database did not answer.
    async fn observe(&self) -> Option<(Observation, HashSet<u32>)> {
        let look = async {
            let seen = self.database.observe().await?;
            Ok::<_, StoreError>((seen, self.database.busy_workers().await?.into_iter().collect()))
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

    async fn reconcile(
        &mut self,
        mode: Mode,
        history: &mut History,
        seen: Option<&(Observation, HashSet<u32>)>,
    ) {
        let observation = seen.map(|(seen, _)| seen.of(mode));
        let decision = decide(observation, &self.settings.limits(mode), history, Instant::now());
        let previous = std::mem::replace(history, decision.history).target;
        if decision.target != previous {
            tracing::info!(%mode, previous, target = decision.target, reason = decision.reason, "decided");
            self.record(mode, previous, decision.target, &decision.reason, observation).await;
        }
        let none = HashSet::new();
        let busy = seen.map_or(&none, |(_, busy)| busy);
        // Without a look nobody is known to be idle, and nobody is stopped: the target is what it was.
        for mishap in self.actuator.set(mode, decision.target, busy).await {
            tracing::warn!(%mode, "{mishap}");
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

    /// Until something may have changed: the doorbell when all is quiet, a short while otherwise.
    async fn rest(&mut self, quiet: bool) -> Result<(), StoreError> {
        if quiet {
            self.doorbell.sleep().await?;
            // Awake, it looks by itself: inserts need not ring for it.
            if let Err(error) = self.doorbell.wake().await {
                tracing::debug!(%error, "still listed as a sleeper");
            }
        } else {
            tokio::select! {
                () = sleep(LOOK) => {}
                () = self.actuator.changed() => {}
            }
        }
        Ok(())
    }
}

fn is_quiet(seen: &Observation, mode: Mode) -> bool {
    let seen = seen.of(mode);
    seen.ready == 0 && seen.running == 0
}
