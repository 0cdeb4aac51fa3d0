//! How one service fares: which failures are news, and how long to pause after one. Pure.

use std::time::Duration;

use aws_client::{AwsError, Kind};

/// The bounds of the pauses between two tries: full jitter under a bound that doubles from `first`.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    /// The bound after the first failure.
    pub first: Duration,
    /// The highest bound while it may pass by itself.
    pub longest: Duration,
    /// The highest bound while it stays until somebody acts.
    pub longest_for_somebody: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            // A concurrent update is over within some hundred milliseconds.
            first: Duration::from_millis(100),
            // Waking has a minute in all.
            longest: Duration::from_secs(10),
            // A person who has mended it does not want to wait longer than this.
            longest_for_somebody: Duration::from_secs(60),
        }
    }
}

impl Pauses {
    /// The pause after failure number `failures` in a row (1 for the first); `random` lies in 0..1.
    fn after(&self, failures: u32, kind: Kind, random: f64) -> Duration {
        let longest = if kind.needs_somebody() { self.longest_for_somebody } else { self.longest };
        let doublings = failures.saturating_sub(1).min(20);
        self.first.saturating_mul(1 << doublings).min(longest).mul_f64(random.clamp(0.0, 1.0))
    }
}

/// The failures in a row of one service.
#[derive(Clone, Copy, Debug, Default)]
pub struct Course {
    failing: Option<Kind>,
    failures: u32,
}

impl Course {
    /// A call failed: whether that is news, and how long to pause.
    pub fn failed(&mut self, error: &AwsError, pauses: &Pauses, random: f64) -> (bool, Duration) {
        self.failures = self.failures.saturating_add(1);
        let news = self.failing.replace(error.kind) != Some(error.kind);
        (news, pauses.after(self.failures, error.kind, random))
    }

    /// A call succeeded: whether that ends a row of failures.
    pub fn succeeded(&mut self) -> bool {
        std::mem::take(self).failing.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: Kind) -> AwsError {
        AwsError { kind, sentence: String::new(), in_doubt: false }
    }

    fn bounds(kind: Kind) -> Vec<u128> {
        let mut course = Course::default();
        (0..12).map(|_| course.failed(&error(kind), &Pauses::default(), 1.0).1.as_millis()).collect()
    }

    #[test]
    fn the_bound_doubles_up_to_ten_seconds_and_to_a_minute_where_somebody_must_act() {
        let passing = [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000, 10_000, 10_000];
        assert_eq!(bounds(Kind::Throttled), passing);
        let staying = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000, 60_000];
        assert_eq!(bounds(Kind::Denied), staying);
    }

    #[test]
    fn jitter_covers_the_whole_range() {
        let pauses = Pauses::default();
        assert_eq!(pauses.after(3, Kind::Server, 0.0), Duration::ZERO);
        assert_eq!(pauses.after(3, Kind::Server, 0.5), Duration::from_millis(200));
        assert_eq!(pauses.after(u32::MAX, Kind::Server, 7.0), Duration::from_secs(10));
    }

    #[test]
    fn a_failure_is_news_once_and_again_when_its_kind_changes() {
        let mut course = Course::default();
        let mut news = |kind| course.failed(&error(kind), &Pauses::default(), 0.0).0;
        assert!(news(Kind::Server));
        assert!(!news(Kind::Server));
        assert!(news(Kind::Denied));
        assert!(news(Kind::Server));
        assert!(course.succeeded());
        assert!(!course.succeeded(), "it recovered once");
    }

    #[test]
    fn after_a_success_pauses_are_short_again() {
        let mut course = Course::default();
        for _ in 0..9 {
            course.failed(&error(Kind::Server), &Pauses::default(), 1.0);
        }
        course.succeeded();
        assert_eq!(
            course.failed(&error(Kind::Server), &Pauses::default(), 1.0).1,
            Duration::from_millis(100)
        );
    }
}
