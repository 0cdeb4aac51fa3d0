//! Whether a provider is worth asking: all jobs of a process learn from each other's failures. Pure: time comes in.
//!
//! Closed, calls pass. After some failures in a row it opens, and calls are held back; when that time is over one call
//! passes as a probe, and whether it succeeds decides. A probe that is dropped decides nothing: the next one follows later.

use std::time::Duration;

use tokio::time::Instant;

/// So many failures in a row open it. One call on a provider that is down fails three times at least.
const FAILURES: u32 = 5;
/// How long it is open at first; it doubles with each probe that fails.
const FIRST: Duration = Duration::from_secs(15);
/// The longest that it is open.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The provider answered, if only that it does not want to.
    Answered,
    /// It did not answer, or says that it cannot.
    Failed,
    /// It asks for a pause.
    Throttled(Duration),
}

/// The state of one provider.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Breaker {
    failures: u32,
    closed_from: Option<Instant>,
}

impl Breaker {
    /// Lets a call pass; or says how long none does.
    pub fn pass(&mut self, now: Instant) -> Result<(), Duration> {
        let Some(closed_from) = self.closed_from else { return Ok(()) };
        let wait = closed_from.saturating_duration_since(now);
        if !wait.is_zero() {
            return Err(wait);
        }
        // The probe. Others wait for what it finds, but not for ever.
        self.closed_from = (self.failures >= FAILURES).then(|| now + FIRST);
        Ok(())
    }

    /// Learns from an attempt.
    pub fn note(&mut self, outcome: Outcome, now: Instant) {
        match outcome {
            Outcome::Answered => *self = Breaker::default(),
            Outcome::Throttled(wait) => self.hold(now + wait.min(LONGEST)),
            Outcome::Failed => {
                self.failures = self.failures.saturating_add(1);
                if self.failures >= FAILURES {
                    let doublings = (self.failures - FAILURES).min(8);
                    self.hold(now + (FIRST * (1 << doublings)).min(LONGEST));
                }
            }
        }
    }

    fn hold(&mut self, until: Instant) {
        self.closed_from = self.closed_from.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn failed(times: u32, now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        (0..times).for_each(|_| breaker.note(Outcome::Failed, now));
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_one_probe_passes_later() {
        let now = Instant::now();
        assert_eq!(failed(4, now).pass(now), Ok(()));
        let mut breaker = failed(5, now);
        assert_eq!(breaker.pass(now + 5 * SECOND), Err(10 * SECOND));
        assert_eq!(breaker.pass(now + 15 * SECOND), Ok(()));
        assert_eq!(breaker.pass(now + 15 * SECOND), Err(15 * SECOND), "the others wait for the probe");
        assert_eq!(breaker.pass(now + 30 * SECOND), Ok(()), "which may never come back");
    }

    #[test]
    fn a_probe_decides() {
        let now = Instant::now();
        let mut breaker = failed(5, now);
        breaker.note(Outcome::Failed, now + 15 * SECOND);
        assert_eq!(breaker.pass(now + 15 * SECOND), Err(30 * SECOND));
        breaker.note(Outcome::Answered, now + 45 * SECOND);
        assert_eq!(breaker.pass(now + 45 * SECOND), Ok(()));
        assert_eq!(failed(60, now).pass(now), Err(LONGEST));
    }

    #[test]
    fn a_pause_that_is_asked_for_holds_for_all() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        breaker.note(Outcome::Throttled(20 * SECOND), now);
        assert_eq!(breaker.pass(now + SECOND), Err(19 * SECOND));
        for _ in 0..3 {
            assert_eq!(breaker.pass(now + 20 * SECOND), Ok(()), "afterwards there is no probe");
        }
    }
}
