//! What is known of the queue, and for how long it has been.

use std::collections::HashSet;
use std::time::Duration;

use domain::{Mode, WorkerId};
use scaling::{Limits, Seen};
use store::{Database, ModeObservation, Observation};
use tokio::time::Instant;

use crate::patience::within;

/// So many jobs of full groups at the head of the line may hide others from a look, which counts 1,000.
const MANY_IN_THE_WAY: u32 = 500;

/// A look that takes longer is no look.
const PATIENCE: Duration = Duration::from_secs(3);

/// A look at the queue.
#[derive(Clone, Debug)]
pub struct Look {
    /// What was seen.
    pub seen: Observation,
    /// When it was so, or later: when the look began.
    pub at: Instant,
}

impl Look {
    /// Looks. None: the database did not answer.
    pub async fn take(database: &Database, workers: &[WorkerId], sla: Duration) -> Option<Look> {
        let at = Instant::now();
        match within(PATIENCE, database.observe_among(workers, sla)).await {
            Ok(seen) => Some(Look { seen, at }),
            Err(trouble) => {
                tracing::warn!("the queue cannot be seen: {trouble}");
                None
            }
        }
    }

    /// What a decision is made from.
    pub fn of(&self, mode: Mode, now: Instant) -> Seen {
        let ModeObservation { ready, running, busy, .. } = *self.seen.of(mode);
        Seen { ready, running, busy, age: now.saturating_duration_since(self.at) }
    }

    /// What holds for a mode's fleet; `own`: where the database does not say.
    pub fn limits(&self, mode: Mode, own: &Limits) -> Limits {
        let ModeObservation { limits, scaling_paused, .. } = self.seen.of(mode);
        Limits {
            min: limits.min.unwrap_or(own.min),
            max: limits.max.unwrap_or(own.max),
            floor_while_busy: limits.floor.unwrap_or(own.floor_while_busy),
            cool_down: limits.cool_down.unwrap_or(own.cool_down),
            jobs_per_worker: limits.jobs_per_worker.unwrap_or(own.jobs_per_worker),
            paused: *scaling_paused,
        }
    }

    /// Workers of those asked about that hang, of both modes.
    pub fn silent(&self) -> HashSet<WorkerId> {
        Mode::ALL.iter().flat_map(|&mode| &self.seen.of(mode).silent_ids).copied().collect()
    }

    /// Whether nobody has anything to do or to be tended.
    pub fn is_quiet(&self) -> bool {
        Mode::ALL.iter().all(|&mode| {
            let seen = self.seen.of(mode);
            seen.ready == 0 && seen.running == 0 && seen.lost == 0
        })
    }

    /// Workers that are there, of both modes.
    pub fn workers(&self) -> u32 {
        Mode::ALL.iter().map(|&mode| self.seen.of(mode).workers).sum()
    }

    /// Whether jobs or workers need tending.
    pub fn needs_tending(&self) -> bool {
        Mode::ALL.iter().any(|&mode| {
            let seen = self.seen.of(mode);
            seen.stuck > 0 || seen.lost > 0 || seen.in_the_way > MANY_IN_THE_WAY
        })
    }
}
