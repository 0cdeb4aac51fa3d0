//! Which limits hold for a fleet: this program's own, and before them what a person has set in the database.

use scaling::Limits;
use store::LimitsSet;

/// What holds. Whoever set limits was held to the scaler's own at that time; if this program was started with others since, the maximum
/// has the last word.
pub fn in_force(own: &Limits, set: &LimitsSet) -> Limits {
    let max = set.max.unwrap_or(own.max);
    Limits {
        min: set.min.unwrap_or(own.min).min(max),
        max,
        floor_while_busy: set.floor.unwrap_or(own.floor_while_busy).min(max),
        cool_down: set.cool_down.unwrap_or(own.cool_down),
        jobs_per_worker: set.jobs_per_worker.unwrap_or(own.jobs_per_worker).max(1),
        paused: set.paused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_set_counts_and_the_rest_is_the_programs_own() {
        let own = Limits { floor_while_busy: 2, ..Limits::up_to(10) };
        let set = LimitsSet { max: Some(4), paused: true, ..LimitsSet::default() };
        let expected = Limits { max: 4, floor_while_busy: 2, paused: true, ..own };
        assert_eq!(in_force(&own, &set), expected);
        assert_eq!(in_force(&own, &LimitsSet::default()), own);
    }

    #[test]
    fn they_can_always_hold() {
        let own = Limits { min: 3, floor_while_busy: 5, ..Limits::up_to(10) };
        let set = LimitsSet { max: Some(2), jobs_per_worker: Some(0), ..LimitsSet::default() };
        assert!(in_force(&own, &set).check().is_ok());
    }
}
