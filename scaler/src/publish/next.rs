//! What is done with a batch. Pure.

use std::time::Duration;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is published.
    Put,
    /// It may have arrived, and it is too early to ask.
    Wait,
    /// It may have arrived, and CloudWatch can tell.
    Ask,
}

/// `fresh`: nobody has tried it. `refused`: the last try surely failed. `age`: of the batch.
pub fn next(fresh: bool, refused: bool, age: Duration, shown_after: Duration) -> Next {
    if fresh || refused {
        Next::Put
    } else if age < shown_after {
        Next::Wait
    } else {
        Next::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
