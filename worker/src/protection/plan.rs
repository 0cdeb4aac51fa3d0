//! What a worker knows of its task's protection, and when the agent is to be asked. Pure: time and chance come in.
//!
//! Every doubt counts against the worker: protection is reckoned from before it was asked for, and is gone for it from the
//! moment at which its end is asked for, answered or not.

use std::time::Duration;

use tokio::time::Instant;

/// The first pause after the agent refused, and the longest: UpdateTaskProtection is limited in rate, for the account as a whole.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Protection, as far as this process knows.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// For how long it is asked for.
    lifetime: Duration,
    /// When the ask that was granted last was sent. None: there is no protection to rely on.
    since: Option<Instant>,
    /// When what was asked for last ends by itself. None: ECS has agreed that the task is not protected.
    may_last_until: Option<Instant>,
    asks: Quiet,
    lifts: Quiet,
}

/// How long one question is not repeated after it was refused.
#[derive(Clone, Copy, Debug, Default)]
struct Quiet {
    refusals: u32,
    until: Option<Instant>,
}

impl Quiet {
    /// `chance` from 0 to 1 spreads a fleet that is refused as one.
    fn after_refusal(self, now: Instant, chance: f64) -> Quiet {
        let bound = (FIRST_PAUSE * (1 << self.refusals.min(16))).min(LONGEST_PAUSE);
        let pause = bound.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        Quiet { refusals: self.refusals.saturating_add(1), until: Some(now + pause) }
    }
}

impl Known {
    /// Nothing yet; it will be asked for `lifetime` at a time.
    pub fn nothing(lifetime: Duration) -> Known {
        Known { lifetime, since: None, may_last_until: None, asks: Quiet::default(), lifts: Quiet::default() }
    }

    /// Whether the task is protected.
    pub fn holds(&self, now: Instant) -> bool {
        self.since.is_some_and(|since| now < since + self.lifetime)
    }

    /// When protection is to be asked for next, so that it neither ends nor begins too late: at once when there is none, else
    /// after a third of its time, which leaves two thirds for further tries.
    pub fn ask_at(&self, now: Instant) -> Instant {
        let due = self.since.map_or(now, |since| since + self.lifetime / 3);
        due.max(self.asks.until.unwrap_or(now))
    }

    /// When its end is to be asked for. None: there is nothing to end.
    pub fn lift_at(&self, now: Instant) -> Option<Instant> {
        self.may_last_until.filter(|end| now < *end).map(|_| self.lifts.until.unwrap_or(now))
    }

    /// Protection is being asked for. If the answer is lost, it may be there all the same.
    pub fn asking(&mut self, now: Instant) {
        self.may_last_until = Some(now + self.lifetime);
    }

    /// What was asked for at `sent` was granted.
    pub fn granted(&mut self, sent: Instant) {
        self.since = Some(sent);
        self.may_last_until = Some(sent + self.lifetime);
        self.asks = Quiet::default();
    }

    /// It was not granted: `definitely`, or the answer is missing.
    pub fn refused(&mut self, now: Instant, chance: f64, definitely: bool) {
        self.asks = self.asks.after_refusal(now, chance);
        if definitely {
            self.may_last_until = self.since.map(|since| since + self.lifetime);
        }
    }

    /// Its end is being asked for. Whatever the answer, nothing can rely on it from now on.
    pub fn lifting(&mut self) {
        self.since = None;
    }

    /// ECS agreed that the task is not protected.
    pub fn lifted(&mut self) {
        (self.since, self.may_last_until, self.lifts) = (None, None, Quiet::default());
    }

    /// Its end was not agreed to.
    pub fn not_lifted(&mut self, now: Instant, chance: f64) {
        self.lifts = self.lifts.after_refusal(now, chance);
    }

    /// ECS says that there is no protection, although it should be there.
    pub fn contradicted(&mut self) {
        self.since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(900);

    fn granted(at: Instant) -> Known {
        let mut known = Known::nothing(LIFETIME);
        known.asking(at);
        known.granted(at);
        known
    }

    #[test]
    fn it_is_asked_for_at_once_and_renewed_at_a_third() {
        let start = Instant::now();
        assert_eq!(Known::nothing(LIFETIME).ask_at(start), start);
        assert_eq!(granted(start).ask_at(start), start + LIFETIME / 3);
    }

    #[test]
    fn it_ends_by_itself_and_is_then_asked_for_again() {
        let start = Instant::now();
        let known = granted(start);
        assert!(known.holds(start + LIFETIME - Duration::from_millis(1)));
        let end = start + LIFETIME;
        assert!(!known.holds(end) && known.ask_at(end) <= end && known.lift_at(end).is_none());
    }

    #[test]
    fn a_refused_renewal_leaves_the_rest_of_the_time_and_is_tried_again_later() {
        let start = Instant::now();
        let mut known = granted(start);
        let third = start + LIFETIME / 3;
        known.asking(third);
        known.refused(third, 0.0, true);
        assert!(known.holds(third));
        assert_eq!(known.ask_at(third), third + FIRST_PAUSE / 2);
        assert!(known.lift_at(third).is_some(), "what was granted before is still to be ended");
        known.contradicted();
        assert!(!known.holds(third));
    }

    #[test]
    fn pauses_grow_to_a_minute_and_end_with_an_answer() {
        let now = Instant::now();
        let mut known = Known::nothing(LIFETIME);
        let mut pause = || {
            known.refused(now, 1.0, true);
            (known.ask_at(now) - now).as_secs()
        };
        let pauses: Vec<_> = (0..40).map(|_| pause()).collect();
        assert_eq!(pauses[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pauses[39], 60);
        known.granted(now);
        known.refused(now, 1.0, true);
        known.contradicted();
        assert_eq!(known.ask_at(now), now + FIRST_PAUSE);
    }

    #[test]
    fn nobody_relies_on_protection_whose_end_was_asked_for() {
        let start = Instant::now();
        let mut known = granted(start);
        known.lifting();
        assert!(!known.holds(start), "the answer may be lost");
        known.not_lifted(start, 1.0);
        assert_eq!(known.lift_at(start), Some(start + FIRST_PAUSE), "and so may the question");
        assert_eq!(known.ask_at(start), start, "a job need not wait for that");
        known.lifted();
        assert_eq!(known.lift_at(start), None);
    }

    #[test]
    fn only_an_ask_whose_answer_is_missing_may_have_protected_the_task() {
        let start = Instant::now();
        let mut known = Known::nothing(LIFETIME);
        assert_eq!(known.lift_at(start), None);
        known.asking(start);
        known.refused(start, 1.0, false);
        assert!(!known.holds(start));
        assert_eq!(known.lift_at(start), Some(start));
        known.asking(start);
        known.refused(start, 1.0, true);
        assert_eq!(known.lift_at(start), None);
    }
}
