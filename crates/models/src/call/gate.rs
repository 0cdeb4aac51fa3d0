//! What all calls of a process to one provider go through: a rate limit and a breaker.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use super::breaker::{Breaker, Outcome};

type Limiter = RateLimiter<NotKeyed, InMemoryState, SinceBorn, NoOpMiddleware<Nanos>>;

/// One provider's gate.
#[derive(Debug)]
pub(crate) struct Gate {
    limiter: Limiter,
    clock: SinceBorn,
    breaker: Mutex<Breaker>,
}

impl Gate {
    /// Lets so many requests a minute through, a tenth of them at once.
    pub fn new(per_minute: NonZeroU32) -> Gate {
        let clock = SinceBorn(Instant::now());
        let burst = NonZeroU32::new(per_minute.get() / 10).unwrap_or(NonZeroU32::MIN);
        let limiter = RateLimiter::direct_with_clock(Quota::per_minute(per_minute).allow_burst(burst), clock);
        Gate { limiter, clock, breaker: Mutex::default() }
    }

    /// Whether a call may begin; or how long none should.
    pub fn pass(&self) -> Result<(), Duration> {
        self.breaker().pass(Instant::now())
    }

    /// Takes one request; or says how long none may be sent.
    pub fn take(&self) -> Result<(), Duration> {
        self.limiter.check().map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }

    /// Learns from an attempt.
    pub fn note(&self, outcome: Outcome) {
        self.breaker().note(outcome, Instant::now());
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        // Whoever panicked held nothing that could be half done.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The runtime's clock, so that the limit and the pauses agree about time.
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
    async fn after_a_burst_requests_come_at_the_rate() {
        let gate = Gate::new(NonZeroU32::new(60).unwrap());
        assert_eq!((0..10).filter(|_| gate.take().is_ok()).count(), 6);
        assert_eq!(gate.take(), Err(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(gate.take(), Ok(()));
    }
}
