//! What is published this time, and what is done with a batch. Pure.

use std::time::Duration;

/// A sleeping scaler hears of the database each 36 s at the latest; after this it is taken for gone.
const UNHEARD: Duration = Duration::from_secs(90);

/// What is published this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing: what was known may be otherwise by now, and a heartbeat that is missing tells.
    Nothing,
    /// The figures of the last look. Nothing was counted, and the database is left in peace.
    Figures,
    /// Those, and what was counted: a batch is asked for.
    Counts,
}

/// `only_slept`: since all counts were taken the scaler did nothing but sleep. `unheard`: for how long the database was not heard of.
/// None: never heard of.
pub fn due(only_slept: bool, unheard: Option<Duration>) -> Due {
    if !only_slept {
        Due::Counts
    } else if unheard.is_none_or(|unheard| unheard > UNHEARD) {
        Due::Nothing
    } else {
        Due::Figures
    }
}

/// What is done with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is published.
    Put,
    /// It may have arrived, and it is too early to ask.
    Wait,
    /// It may have arrived, and CloudWatch can tell.
    Ask,
}

/// `fresh`: nobody has tried it. `refused`: the last try surely failed. `tried`: how long ago it was last tried.
pub fn next(fresh: bool, refused: bool, tried: Duration, shown_after: Duration) -> Next {
    if fresh || refused {
        Next::Put
    } else if tried < shown_after {
        Next::Wait
    } else {
        Next::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeping_scaler_publishes_what_it_knows_as_long_as_it_hears_of_the_database() {
        let some = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(due(false, None), Due::Counts);
        assert_eq!(due(true, some(36)), Due::Figures);
        assert_eq!(due(true, some(91)), Due::Nothing);
        assert_eq!(due(true, None), Due::Nothing);
    }

    #[test]
    fn only_what_may_have_arrived_is_asked_about_and_not_too_early() {
        let next =
            |fresh, refused, age| next(fresh, refused, Duration::from_secs(age), Duration::from_secs(300));
        assert_eq!(next(true, false, 0), Next::Put);
        assert_eq!(next(false, true, 60), Next::Put);
        assert_eq!(next(false, false, 60), Next::Wait);
        assert_eq!(next(false, false, 300), Next::Ask);
    }
}
