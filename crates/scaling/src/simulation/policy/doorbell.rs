//! Ours, in simulated time. What is decided, how often it looks and when it may sleep is the scaler's own: [`decide`] and
//! [`crate::pace`]. It hears a ring while it sleeps, and while it is awake and could start another worker; it also looks each second
//! while it is awake. Looks at which nothing can have changed are left out here: `decide` says itself when time alone would change its
//! mind, so that this is the same course of decisions.
//!
//! What may surprise: a ring that is heard just before a second is over is answered at that second's look, up to [`BREATH`] sooner than
//! by the scaler; and the scaler sleeps only when the fleets of both modes may, while here each is alone.

use std::time::Duration;

use super::{Change, Look, Scaler, beat};
use crate::pace::{BREATH, COUNTED, LOOK, is_settled};
use crate::simulation::{Setup, View};
use crate::{History, Limits, Seen, decide};

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
        self.looked_at + beat(at.saturating_sub(self.looked_at), LOOK).max(LOOK)
    }
}

impl Scaler for Doorbell {
    fn changed(&mut self, now: Duration, change: Change) -> Option<Duration> {
        let tick = self.tick(now);
        Some(match change {
            Change::Arrived if self.asleep => now + self.hearing,
            // At its limit a ring would change nothing, and it does not listen.
            Change::Arrived if self.history.target < self.limits.max => tick.min(now + self.hearing + BREATH),
            // Asleep, it hears of new jobs alone.
            Change::Other if self.asleep => return None,
            _ => tick,
        })
    }

    fn look(&mut self, now: Duration, view: &View, standing: Option<u32>) -> Look {
        let seen = Seen {
            ready: view.waiting.min(COUNTED),
            running: view.busy,
            busy: view.busy,
            age: Duration::ZERO,
        };
        let decision = decide(Some(&seen), &self.limits, &self.history, now);
        self.history = decision.history;
        self.looked_at = now;
        let is_quiet = view.depth() == 0;
        self.asleep = is_quiet && is_settled(&decision.history, decision.again_at, &self.limits, standing);
        // Without work, only looking tells that a decision has been carried out.
        let again_at = decision.again_at.or((is_quiet && !self.asleep).then_some(now + LOOK));
        Look { target: decision.target, again_at: again_at.map(|at| self.tick(at)) }
    }
}
