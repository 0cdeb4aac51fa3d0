//! What the scaler writes down for people: its decisions, how each wake went, what troubles it. A decision holds whether or not it can be
//! written down.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use domain::Mode;
use scaling::{Decision, Limits};
use store::{Database, FleetLimits, ModeObservation, StoreError};
use tokio::time::Instant;
use uuid::Uuid;

use crate::actuator::{Mishap, News};

/// The scaler's hand that writes.
pub struct Chronicle {
    database: Arc<Database>,
    scaler: Uuid,
    /// Decisions whose targets nobody has taken yet, oldest first: their numbers in the database, and the targets.
    uncalled: HashMap<Mode, Vec<(i64, u32)>>,
    /// Whether the last tending left wakes whose job was not claimed yet; true when that is not known.
    open_wakes: bool,
    /// The trouble there is, and whether it is written down.
    trouble: (Option<String>, bool),
}

impl Chronicle {
    /// Of the scaler with this id.
    pub fn new(database: Arc<Database>, scaler: Uuid) -> Chronicle {
        Chronicle { database, scaler, uncalled: HashMap::new(), open_wakes: true, trouble: (None, true) }
    }

    /// Another target was decided at `at`.
    pub async fn decided(
        &mut self,
        mode: Mode,
        previous: u32,
        decision: &Decision,
        seen: &ModeObservation,
        at: Instant,
    ) {
        let (target, reason) = (decision.target, decision.why.to_string());
        tracing::info!(%mode, previous, target, reason, "decided");
        let seen = serde_json::to_value(seen).unwrap_or_default();
        let written =
            self.database.record_decision(mode, (previous, target), &reason, &seen, at.elapsed()).await;
        match written {
            Ok(number) => {
                self.uncalled.entry(mode).or_default().push((number, target));
                self.open_wakes |= previous == 0;
            }
            Err(error) => complain("the decision is not written down", &error),
        }
    }

    /// What the hands told.
    pub async fn heard(&mut self, news: News) {
        match news {
            News::Mishap(mishap) => tell(&mishap),
            News::Called { mode, target, at } => self.called(mode, target, at).await,
            News::Trouble(trouble) if trouble != self.trouble.0 => {
                match &trouble {
                    Some(sentence) => tracing::warn!("capacity cannot be set: {sentence}"),
                    None => tracing::info!("capacity can be set again"),
                }
                self.trouble = (trouble, false);
            }
            News::Trouble(_) => {}
            News::Drifted { mode, message } => {
                tracing::warn!(%mode, "{message}");
                if let Err(error) = self.database.capacity_drifted(self.scaler, mode, &message).await {
                    complain("the drift is not written down", &error);
                }
            }
        }
    }

    async fn called(&mut self, mode: Mode, target: u32, at: Instant) {
        let uncalled = self.uncalled.entry(mode).or_default();
        // None: one that is not written down, or a target that was only said again.
        let Some(place) = uncalled.iter().position(|&(_, decided)| decided == target) else { return };
        let number = uncalled[place].0;
        uncalled.drain(..=place); // those before it were superseded
        if let Err(error) = self.database.decision_called(number, at.elapsed()).await {
            complain("the call is not written down", &error);
        }
    }

    /// Writes down the trouble, if it has changed.
    pub async fn report(&mut self) {
        if self.trouble.1 {
            return;
        }
        match self.database.report_trouble(self.scaler, self.trouble.0.as_deref()).await {
            Ok(()) => self.trouble.1 = true,
            Err(error) => complain("the trouble is not written down", &error),
        }
    }

    /// This scaler decides from now on, within these limits of its own. Another leader's trouble may stand where its should.
    pub async fn took_over(&mut self, own: &[(Mode, Limits)]) {
        for (mode, limits) in own {
            let limits = FleetLimits {
                min: Some(limits.min),
                max: Some(limits.max),
                floor: Some(limits.floor_while_busy),
                cool_down: Some(limits.cool_down),
                jobs_per_worker: Some(limits.jobs_per_worker),
            };
            if let Err(error) = self.database.announce_limits(*mode, &limits).await {
                complain("the limits are not written down", &error);
            }
        }
        self.uncalled.clear();
        self.open_wakes = true;
        self.trouble.1 = self.trouble.0.is_none();
    }

    /// Whether there are wakes to follow.
    pub fn follows_a_wake(&self) -> bool {
        self.open_wakes
    }

    /// Frees jobs that are stuck or whose workers are lost, and follows the wakes.
    pub async fn tend(&mut self, sla: Duration) {
        match self.database.tend(sla).await {
            Ok(tended) => {
                self.open_wakes = tended.open_wakes > 0;
                if tended.requeued + tended.dead + tended.lost > 0 {
                    let store::Tended { requeued, dead, lost, .. } = tended;
                    tracing::warn!(requeued, dead, lost, "took jobs back that were stuck or lost");
                }
            }
            Err(error) => complain("jobs and workers are not tended", &error),
        }
    }
}

fn complain(what: &str, error: &StoreError) {
    tracing::warn!("{what}: {}", service::exit::one_line(error));
}

fn tell(mishap: &Mishap) {
    tracing::warn!(stillborn = mishap.stillborn, "{}", mishap.mishap);
    if let Ok(line) = serde_json::to_string(mishap) {
        // Nobody need listen.
        _ = writeln!(std::io::stdout(), "{line}");
    }
}
