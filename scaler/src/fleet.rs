//! One mode's workers as the scaler has them in mind: what it decided, and whether it knows what stands.
//!
//! What stands may be unknown when a scaler begins: AWS does not answer, or its bounds leave it open. Then nothing is held by sending a
//! number: only what the work needs is sent, or, after a cool-down without need of more, what little is needed.

use std::time::Duration;

use domain::Mode;
use scaling::{Decision, History, Limits, Seen, decide, pace};

/// What stands is asked for again after this, as long as it is not known.
const FIND_AGAIN: Duration = Duration::from_secs(30);

/// One mode's workers.
pub struct Fleet {
    pub mode: Mode,
    pub history: History,
    pub limits: Limits,
    /// When to decide again though nothing happened.
    again_at: Option<Duration>,
    /// Since when it is not known what stands, and when that was last asked. None: it is known, or a target was sent since.
    unknown: Option<(Duration, Duration)>,
}

impl Fleet {
    /// A fleet that is found so; None: that is not known.
    pub fn new(mode: Mode, limits: Limits, found: Option<u32>, now: Duration) -> Fleet {
        let history = History::found(found.unwrap_or(0));
        let unknown = found.is_none().then_some((now, now));
        Fleet { mode, history, limits, again_at: None, unknown }
    }

    /// Whether it should be asked again what stands. To be asked once for each time that it is.
    pub fn is_to_be_found(&mut self, now: Duration) -> bool {
        match &mut self.unknown {
            Some((_, asked)) if now >= *asked + FIND_AGAIN => {
                *asked = now;
                true
            }
            _ => false,
        }
    }

    /// What stands, if that has become known.
    pub fn learn(&mut self, standing: Option<u32>) {
        if let (Some(_), Some(found)) = (self.unknown, standing) {
            self.history = History::found(found);
            self.unknown = None;
        }
    }

    /// Decides. None: what stands is not known, and nothing is to be sent.
    pub fn decide(&mut self, seen: Option<&Seen>, now: Duration) -> Option<Decision> {
        let decision = decide(seen, &self.limits, &self.history, now);
        if let Some((since, _)) = self.unknown {
            let needs_more = decision.target > self.history.target;
            let long_enough = seen.is_some() && now >= since + self.limits.cool_down;
            if !needs_more && (!long_enough || self.limits.paused) {
                return None;
            }
            self.unknown = None;
        }
        self.history = decision.history;
        self.again_at = decision.again_at;
        Some(decision)
    }

    /// Whether it is as it is to stay while there is no work; `standing`: what stands.
    pub fn is_settled(&self, standing: Option<u32>) -> bool {
        self.unknown.is_none() && pace::is_settled(&self.history, self.again_at, &self.limits, standing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn unknown(limits: Limits) -> Fleet {
        Fleet::new(Mode::Mechanic, limits, None, Duration::ZERO)
    }

    fn ready(ready: u32) -> Seen {
        Seen { ready, ..Seen::default() }
    }

    #[test]
    fn what_is_not_known_is_left_alone_until_a_cool_down_has_passed_without_work() {
        let mut fleet = unknown(Limits::up_to(10));
        assert_eq!(fleet.decide(Some(&ready(0)), SECOND), None);
        assert!(!fleet.is_settled(None));
        let later = fleet.decide(Some(&ready(0)), 15 * SECOND).unwrap();
        assert_eq!(later.target, 0);
        assert!(fleet.is_settled(Some(0)));
    }

    #[test]
    fn work_is_served_at_once() {
        let mut fleet = unknown(Limits::up_to(10));
        assert_eq!(fleet.decide(Some(&ready(3)), SECOND).unwrap().target, 3);
    }

    #[test]
    fn a_paused_fleet_that_is_not_known_is_never_touched() {
        let mut fleet = unknown(Limits { paused: true, ..Limits::up_to(10) });
        for second in 0..100 {
            assert_eq!(fleet.decide(Some(&ready(3)), second * SECOND), None);
        }
        assert!(fleet.is_to_be_found(100 * SECOND) && !fleet.is_to_be_found(100 * SECOND));
        fleet.learn(Some(4));
        assert_eq!(fleet.decide(Some(&ready(3)), 101 * SECOND).unwrap().target, 4);
        assert!(fleet.is_settled(Some(4)));
    }

    #[test]
    fn nothing_is_sent_unseen() {
        let mut fleet = unknown(Limits::up_to(10));
        assert_eq!(fleet.decide(None, 60 * SECOND), None);
    }
}
