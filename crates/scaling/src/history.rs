//! What is remembered from one decision to the next.

use std::time::Duration;

/// Changes of mind that may follow one another at once.
pub const BURST: u32 = 12;
/// After so long one more change is allowed. In any span of time there are at most [`BURST`] and one for each such time in it.
pub const REGAINED: Duration = Duration::from_secs(5);

/// What is remembered from one decision to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The last target, in workers.
    pub target: u32,
    /// Since when fewer would have been enough. None: they are all needed.
    pub surplus_since: Option<Duration>,
    /// When the changes that were made are forgotten: each adds [`REGAINED`].
    forgotten_at: Duration,
}

impl History {
    /// Of a fleet that is found with so many workers.
    pub fn found(target: u32) -> History {
        History { target, ..History::default() }
    }

    /// When the mind may next be changed; not after `now`: at once.
    pub(crate) fn may_change_at(&self, now: Duration) -> Duration {
        (self.forgotten_at.max(now) + REGAINED).saturating_sub(REGAINED * BURST)
    }

    pub(crate) fn changed(&self, target: u32, now: Duration) -> History {
        History { target, surplus_since: None, forgotten_at: self.forgotten_at.max(now) + REGAINED }
    }

    pub(crate) fn held(&self, surplus_since: Option<Duration>) -> History {
        History { surplus_since, ..*self }
    }
}
