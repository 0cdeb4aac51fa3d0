//! The limits of a fleet that hold now, which of them a person has set, and whether its scaling is paused.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use store::{LimitsInForce, LimitsSet};

use crate::view::number::{age, span};
use crate::view::text::one_line;

/// What holds for a fleet.
#[derive(Clone, Debug, Serialize)]
pub struct Bounds {
    #[serde(flatten)]
    limits: LimitsInForce,
    /// Those that a person has set, by their names.
    limits_set: Vec<&'static str>,
}

impl Bounds {
    /// What the database knows, as the scaler takes it: where they contradict each other, because it was started with a lower maximum
    /// since, the maximum has the last word.
    pub fn new(mut limits: LimitsInForce, set: &LimitsSet) -> Bounds {
        if let Some(max) = limits.max {
            limits.min = limits.min.map(|min| min.min(max));
            limits.floor = limits.floor.map(|floor| floor.min(max));
        }
        let named = [
            (set.min.is_some(), "min"),
            (set.max.is_some(), "max"),
            (set.floor.is_some(), "floor"),
            (set.cool_down.is_some(), "cool-down"),
            (set.jobs_per_worker.is_some(), "jobs per worker"),
        ];
        let limits_set = named.into_iter().filter_map(|(set, name)| set.then_some(name)).collect();
        Bounds { limits, limits_set }
    }

    /// Whose.
    pub fn mode(&self) -> domain::Mode {
        self.limits.mode
    }

    /// Which limits hold, in words.
    pub fn limits(&self) -> String {
        let LimitsInForce { min, max, floor, cool_down_ms, jobs_per_worker, .. } = self.limits;
        if max.is_none() && self.limits_set.is_empty() {
            return "not known: no scaler has run on this database yet".into();
        }
        let number = |n: Option<i32>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
        let cool_down = cool_down_ms
            .map_or_else(|| "?".to_owned(), |ms| span(Duration::from_millis(ms.max(0).unsigned_abs())));
        let by_hand = match self.limits_set.is_empty() {
            true => String::new(),
            false => format!("; set by hand: {}", self.limits_set.join(", ")),
        };
        let floor = match floor {
            Some(0) => String::new(),
            floor => format!(", at least {} while there is work", number(floor)),
        };
        format!(
            "{} to {} workers{floor}, one for each {} ready, cool-down {cool_down}{by_hand}",
            number(min),
            number(max),
            jobs(jobs_per_worker),
        )
    }

    /// Since when the number of workers stays as it is, and why. None: it follows the work.
    pub fn paused(&self, now: Timestamp) -> Option<String> {
        let since = age(self.limits.paused_at?, now);
        let reason = match one_line(&self.limits.paused_reason, 200) {
            reason if reason.is_empty() => reason,
            reason => format!(": {reason}"),
        };
        Some(format!("paused since {since}{reason}"))
    }
}

fn jobs(per_worker: Option<i32>) -> String {
    match per_worker {
        None => "? jobs".into(),
        Some(1) => "job".into(),
        Some(n) => format!("{n} jobs"),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use domain::Mode;

    pub fn limits() -> LimitsInForce {
        LimitsInForce {
            mode: Mode::Mechanic,
            min: Some(0),
            max: Some(10),
            floor: Some(2),
            cool_down_ms: Some(90_000),
            jobs_per_worker: Some(1),
            set_by_hand: false,
            paused_at: None,
            paused_reason: String::new(),
        }
    }

    #[test]
    fn limits_are_one_sentence_with_those_that_a_person_set() {
        let none = Bounds::new(limits(), &LimitsSet::default());
        assert_eq!(
            none.limits(),
            "0 to 10 workers, at least 2 while there is work, one for each job ready, cool-down 1m30s"
        );
        let set = LimitsSet { max: Some(4), cool_down: Some(Duration::from_secs(5)), ..LimitsSet::default() };
        let some = Bounds::new(LimitsInForce { jobs_per_worker: Some(5), ..limits() }, &set);
        assert!(some.limits().contains("one for each 5 jobs ready"), "{}", some.limits());
        assert!(some.limits().ends_with("set by hand: max, cool-down"), "{}", some.limits());
    }

    #[test]
    fn a_lower_maximum_has_the_last_word() {
        let bounds =
            Bounds::new(LimitsInForce { min: Some(3), max: Some(1), ..limits() }, &LimitsSet::default());
        assert!(bounds.limits().starts_with("1 to 1 workers, at least 1 while"), "{}", bounds.limits());
    }

    #[test]
    fn before_a_scaler_has_run_nothing_is_known_but_what_a_person_set() {
        let none = LimitsInForce {
            min: None,
            max: None,
            floor: None,
            cool_down_ms: None,
            jobs_per_worker: None,
            ..limits()
        };
        assert!(Bounds::new(none.clone(), &LimitsSet::default()).limits().contains("no scaler has run"));
        let set = LimitsSet { max: Some(4), ..LimitsSet::default() };
        let one = Bounds::new(LimitsInForce { max: Some(4), ..none }, &set);
        assert!(one.limits().starts_with("? to 4 workers"), "{}", one.limits());
    }

    #[test]
    fn a_pause_says_since_when_and_why() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let paused = |reason: &str| {
            let limits = LimitsInForce { paused_at: Some(at(0)), paused_reason: reason.into(), ..limits() };
            Bounds::new(limits, &LimitsSet::default()).paused(at(300))
        };
        assert_eq!(paused("a move").as_deref(), Some("paused since 5m: a move"));
        assert_eq!(paused("").as_deref(), Some("paused since 5m"));
        assert_eq!(Bounds::new(limits(), &LimitsSet::default()).paused(at(300)), None);
    }
}
