//! What is known of the queue, and for how long it has been.

use std::collections::HashSet;
use std::time::Duration;

use domain::{Mode, WorkerId};
use scaling::Seen;
use store::{Database, ModeObservation, Observation};
use tokio::time::{Instant, timeout};

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
        let trouble = match timeout(PATIENCE, database.observe_among(workers, sla)).await {
            Ok(Ok(seen)) => return Some(Look { seen, at }),
            Ok(Err(error)) => service::exit::one_line(&error),
            Err(_) => "the database is slow".to_owned(),
        };
        tracing::warn!("the queue cannot be seen: {trouble}");
        None
    }

    /// What a decision is made from.
    pub fn of(&self, mode: Mode, now: Instant) -> Seen {
        let ModeObservation { ready, running, busy, .. } = *self.seen.of(mode);
        Seen { ready, running, busy, age: now.saturating_duration_since(self.at) }
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
            seen.stuck > 0 || seen.lost > 0
        })
    }
}
