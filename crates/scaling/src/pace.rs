//! How often a scaler looks at the queue, and when it may sleep. The scaler and the simulation of it share this.

use std::time::Duration;

use crate::{History, Limits};

/// Between two looks while there is work and nobody rings.
pub const LOOK: Duration = Duration::from_secs(1);
/// Between two looks at least, however often it rings.
pub const BREATH: Duration = Duration::from_millis(100);
/// A look counts ready jobs no further, so that a long queue is not slow to look at: as `codeteam.observe()` does.
pub const COUNTED: u32 = 1_000;

/// Whether a fleet without work is as it is to stay, so that nobody need look at it before there is work: time alone changes nothing
/// (`again_at` of the last decision is None), that decision has been carried out (`standing`: what stands; None: not known), and nobody
/// is there who is not always kept.
pub fn is_settled(
    history: &History,
    again_at: Option<Duration>,
    limits: &Limits,
    standing: Option<u32>,
) -> bool {
    again_at.is_none() && standing == Some(history.target) && (history.target == limits.min || limits.paused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seen, decide};

    fn settled(limits: &Limits, held: u32, standing: Option<u32>) -> bool {
        let decision = decide(Some(&Seen::default()), limits, &History::found(held), Duration::ZERO);
        is_settled(&decision.history, decision.again_at, limits, standing)
    }

    #[test]
    fn a_fleet_sleeps_when_it_has_come_down_to_its_minimum() {
        let limits = Limits::up_to(10);
        assert!(settled(&limits, 0, Some(0)));
        assert!(!settled(&limits, 2, Some(2)), "the cool-down runs");
        assert!(!settled(&limits, 0, None), "nobody knows what stands");
        assert!(!settled(&limits, 0, Some(1)), "one is still there");
        let one = Limits { min: 1, ..limits };
        assert!(settled(&one, 1, Some(1)));
        assert!(!settled(&one, 0, Some(0)), "it is on its way up");
    }

    #[test]
    fn while_scaling_is_paused_it_sleeps_at_any_number() {
        let paused = Limits { paused: true, ..Limits::up_to(10) };
        assert!(settled(&paused, 4, Some(4)));
    }
}
