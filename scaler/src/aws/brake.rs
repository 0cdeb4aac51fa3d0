//! A bound on the calls of one service, whatever the rest of the scaler does.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

/// At most a burst of calls, then one per interval.
#[derive(Debug)]
pub struct Brake {
    limiter: RateLimiter<NotKeyed, InMemoryState, SinceBorn, NoOpMiddleware<Nanos>>,
    clock: SinceBorn,
}

impl Brake {
    /// `burst` calls at once (0 counts as 1), then one per `interval` (0 counts as a second).
    pub fn new(burst: u32, interval: Duration) -> Self {
        let clock = SinceBorn(Instant::now());
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota =
            Quota::with_period(interval).unwrap_or(Quota::per_second(NonZeroU32::MIN)).allow_burst(burst);
        Self { limiter: RateLimiter::direct_with_clock(quota, clock), clock }
    }

    /// Takes one call; or says how long none may be made.
    pub fn take(&self) -> Result<(), Duration> {
        self.limiter.check().map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }
}

/// The runtime's clock, so that the brake and the pauses agree about time.
#[derive(Clone, Copy, Debug)]
struct SinceBorn(Instant);

impl Clock for SinceBorn {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        // Nanoseconds fill 64 bits after 584 years.
        Nanos::from(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_a_burst_there_is_one_call_per_interval() {
        let brake = Brake::new(3, Duration::from_secs(1));
        for _ in 0..3 {
            assert_eq!(brake.take(), Ok(()));
        }
        assert_eq!(brake.take(), Err(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_millis(1_000)).await;
        assert_eq!(brake.take(), Ok(()));
        assert_eq!(brake.take(), Err(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!((0..10).filter(|_| brake.take().is_ok()).count(), 3, "no more than a burst is saved up");
    }
}
