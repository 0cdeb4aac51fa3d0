//! The limits of a fleet that hold now, which of them a person has set, and whether its scaling is paused.

use jiff::Timestamp;
use serde::Serialize;
use store::{FleetLimits, LimitsInForce};

use crate::view::number::{age, span};
use crate::view::text::one_line;

/// What holds for a fleet.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Bounds(pub LimitsInForce);

impl Bounds {
    /// Whose.
    pub fn mode(&self) -> domain::Mode {
        self.0.mode
    }

    /// Which limits hold, in words.
    pub fn limits(&self) -> String {
        let LimitsInForce { limits, limits_set, .. } = &self.0;
        let FleetLimits { min, max, floor, cool_down, jobs_per_worker } = *limits;
        if max.is_none() && limits_set.is_empty() {
            return "not known: no scaler has run on this database yet".into();
        }
        let number = |n: Option<u32>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
        let cool_down = cool_down.map_or_else(|| "?".to_owned(), span);
        let by_hand = match limits_set.is_empty() {
            true => String::new(),
            false => format!("; set by hand: {}", limits_set.join(", ")),
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
        let since = age(self.0.paused_at?, now);
        let reason = match one_line(&self.0.paused_reason, 200) {
            reason if reason.is_empty() => reason,
            reason => format!(": {reason}"),
        };
        Some(format!("paused since {since}{reason}"))
    }
}

fn jobs(per_worker: Option<u32>) -> String {
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

    const LIMITS: FleetLimits = FleetLimits {
        min: Some(0),
        max: Some(10),
        floor: Some(2),
        cool_down: Some(std::time::Duration::from_secs(90)),
        jobs_per_worker: Some(1),
    };

    pub fn limits() -> LimitsInForce {
        LimitsInForce {
            mode: Mode::Mechanic,
            limits: LIMITS,
            limits_set: Vec::new(),
            paused_at: None,
            paused_reason: String::new(),
        }
    }

    #[test]
    fn limits_are_one_sentence_with_those_that_a_person_set() {
        assert_eq!(
            Bounds(limits()).limits(),
            "0 to 10 workers, at least 2 while there is work, one for each job ready, cool-down 1m30s"
        );
        let some = LimitsInForce {
            limits: FleetLimits { jobs_per_worker: Some(5), ..LIMITS },
            limits_set: vec!["max".into(), "cool-down".into()],
            ..limits()
        };
        let said = Bounds(some).limits();
        assert!(said.contains("one for each 5 jobs ready"), "{said}");
        assert!(said.ends_with("set by hand: max, cool-down"), "{said}");
    }

    #[test]
    fn before_a_scaler_has_run_nothing_is_known_but_what_a_person_set() {
        let none = LimitsInForce { limits: FleetLimits::default(), ..limits() };
        assert!(Bounds(none.clone()).limits().contains("no scaler has run"));
        let four = FleetLimits { max: Some(4), ..FleetLimits::default() };
        let one = Bounds(LimitsInForce { limits: four, limits_set: vec!["max".into()], ..none });
        assert!(one.limits().starts_with("? to 4 workers"), "{}", one.limits());
    }

    #[test]
    fn a_pause_says_since_when_and_why() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let paused = |reason: &str| {
            let limits = LimitsInForce { paused_at: Some(at(0)), paused_reason: reason.into(), ..limits() };
            Bounds(limits).paused(at(300))
        };
        assert_eq!(paused("a move").as_deref(), Some("paused since 5m: a move"));
        assert_eq!(paused("").as_deref(), Some("paused since 5m"));
        assert_eq!(Bounds(limits()).paused(at(300)), None);
    }
}
