//! What one service's task does next. Pure.

use std::time::Duration;

use tokio::time::Instant;

use super::orders::{Order, Orders};

/// All that counts for what to do next.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// What is wanted.
    pub orders: Orders,
    /// The version of the order that AWS confirmed last.
    pub settled: u64,
    /// The newest version that was wanted while there was a permit.
    pub led: u64,
    /// Until when calls may be made; None: this process does not lead.
    pub permit: Option<Instant>,
    /// A version that failed, and when it may be tried again. It does not hold newer ones up: the brake bounds those.
    pub pause: Option<(u64, Instant)>,
    /// The longest that a call takes.
    pub operation: Duration,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send this order, if the brake agrees.
    Send(Order),
    /// What is wanted was ordered under a leadership that ended: want it no more.
    Forget,
    /// Nothing until something changes, or until this moment.
    Rest(Option<Instant>),
}

impl View {
    /// What to do at `now`.
    pub fn next(&self, now: Instant) -> Next {
        let Orders { order: Some(order), version } = self.orders else { return Next::Rest(None) };
        let Some(end) = self.permit else {
            let stale = order.led || version <= self.led;
            return if stale { Next::Forget } else { Next::Rest(None) };
        };
        if version == self.settled {
            return Next::Rest(None);
        }
        if let Some((failed, again)) = self.pause
            && failed == version
            && now < again
        {
            return Next::Rest(Some(again));
        }
        // A permit that is renewed is a change.
        let fits = now.checked_add(self.operation).is_some_and(|latest| latest <= end);
        if fits { Next::Send(order) } else { Next::Rest(None) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn order() -> Order {
        Order { target: 3, ticket: 7, led: true }
    }

    fn view(now: Instant) -> View {
        View {
            orders: Orders { order: Some(order()), version: 5 },
            settled: 4,
            led: 4,
            permit: Some(now + 10 * SECOND),
            pause: None,
            operation: 4 * SECOND,
        }
    }

    #[test]
    fn what_is_wanted_and_not_settled_is_sent() {
        let now = Instant::now();
        assert_eq!(view(now).next(now), Next::Send(order()));
        assert_eq!(View { settled: 5, ..view(now) }.next(now), Next::Rest(None));
        assert_eq!(View { orders: Orders::default(), ..view(now) }.next(now), Next::Rest(None));
    }

    #[test]
    fn no_call_begins_that_might_not_end_before_the_permit_does() {
        let now = Instant::now();
        let until = |permit| View { permit: Some(permit), ..view(now) }.next(now);
        assert_eq!(until(now + 4 * SECOND), Next::Send(order()));
        assert_eq!(until(now + 4 * SECOND - Duration::from_nanos(1)), Next::Rest(None));
        assert_eq!(until(now), Next::Rest(None));
        assert_eq!(View { operation: Duration::MAX, ..view(now) }.next(now), Next::Rest(None));
    }

    #[test]
    fn a_failed_order_pauses_and_a_newer_one_does_not_wait_for_it() {
        let now = Instant::now();
        let paused = |version| View { pause: Some((version, now + SECOND)), ..view(now) };
        assert_eq!(paused(5).next(now), Next::Rest(Some(now + SECOND)));
        assert_eq!(paused(5).next(now + SECOND), Next::Send(order()));
        assert_eq!(paused(4).next(now), Next::Send(order()));
    }

    #[test]
    fn an_order_ends_with_the_leadership_and_one_given_before_it_waits() {
        let now = Instant::now();
        let lost = View { permit: None, ..view(now) };
        assert_eq!(lost.next(now), Next::Forget);
        assert_eq!(View { settled: 5, ..lost }.next(now), Next::Forget);
        let early = Orders { order: Some(Order { led: false, ..order() }), version: 5 };
        assert_eq!(View { orders: early, ..lost }.next(now), Next::Rest(None));
        assert_eq!(View { orders: early, led: 5, ..lost }.next(now), Next::Forget);
    }
}
