//! Ours. The loop is the scaler's own: it hears a ring while it sleeps, and while it is awake and could start another worker; it
//! also looks each second while it is awake. Looks at which nothing can have changed are left out here: `decide` says itself when time
//! alone would change its mind, so that this is the same course of decisions.

use std::time::Duration;

use super::{Change, Look, Scaler};
use crate::simulation::{Setup, View};
use crate::{History, Limits, Seen, decide};

/// Between two looks while there is work and nobody rings.
const LOOK: Duration = Duration::from_secs(1);
/// From a ring to the look while it is awake, so that many rings are one look.
const BREATH: Duration = Duration::from_millis(100);
/// Observing the queue counts no further, so that a long one is not slow to look at.
const COUNTED: u32 = 1_000;

#[derive(Debug)]
pub(in crate::simulation) struct Doorbell {
    limits: Limits,
    hearing: Duration,
    history: History,
    looked_at: Duration,
    asleep: bool,
}

impl Doorbell {
    pub fn new(setup: &Setup) -> Doorbell {
        Doorbell {
            limits: setup.limits,
            hearing: setup.hearing,
            history: History::found(setup.limits.min),
            looked_at: Duration::ZERO,
            asleep: false,
        }
    }

    /// The first of its looks that comes by itself and is not before `at`.
    fn tick(&self, at: Duration) -> Duration {
        let since = at.saturating_sub(self.looked_at);
        let seconds = since.as_secs() + u64::from(since.subsec_nanos() > 0);
        self.looked_at + LOOK * u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
    }
}

impl Scaler for Doorbell {
    fn changed(&mut self, now: Duration, change: Change) -> Option<Duration> {
        let tick = self.tick(now);
        Some(match change {
            Change::Arrived if self.asleep => now + self.hearing,
            // At its limit a ring would change nothing, and it does not listen.
            Change::Arrived if self.history.target < self.limits.max => tick.min(now + self.hearing + BREATH),
            _ => tick,
        })
    }

    fn look(&mut self, now: Duration, view: &View) -> Look {
        let seen = Seen {
            ready: view.waiting.min(COUNTED),
            running: view.busy,
            busy: view.busy,
            age: Duration::ZERO,
        };
        let decision = decide(Some(&seen), &self.limits, &self.history, now);
        self.history = decision.history;
        self.looked_at = now;
        // Only when the last task is gone does it listen for a ring alone.
        let is_quiet = view.depth() == 0 && decision.target == 0;
        self.asleep = is_quiet && view.alive() == 0;
        let again_at = if is_quiet && !self.asleep { Some(now + LOOK) } else { decision.again_at };
        Look { target: decision.target, again_at: again_at.map(|at| self.tick(at)) }
    }
}
