//! How long to wait before the next attempt: exponential back-off with full jitter, or what the provider asks for.

use std::sync::Arc;
use std::time::Duration;

/// Where randomness comes from: each call gives a number from 0 up to, but not including, 1.
pub type Random = Arc<dyn Fn() -> f64 + Send + Sync>;

/// What time it is, for hints that name a time: the wall clock.
pub type Now = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// The bound on the first pause; it doubles with each attempt, as the provider's own clients do it.
const FIRST: Duration = Duration::from_millis(500);
/// The bound that no pause of ours exceeds.
const LONGEST: Duration = Duration::from_secs(8);

/// How much is tried before a call is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// After so many attempts the provider is taken to be down.
    pub attempts: u32,
    /// The longest pause that is waited for.
    pub longest_pause: Duration,
    /// The part of a call's time, longer than a minute, in which an answer must be there, as a divisor.
    pub share: u32,
}

impl Patience {
    /// Where no other model is left: as long as the call's time allows. About a hundred seconds of pauses on average.
    pub const LAST: Patience = Patience { attempts: 30, longest_pause: Duration::MAX, share: 1 };
    /// Where another model can take over: what passes in a moment, and no more.
    pub const SHORT: Patience = Patience { attempts: 3, longest_pause: Duration::from_secs(5), share: 2 };

    /// How long a call may take of which the caller allows `time`.
    pub fn time(self, time: Duration) -> Duration {
        const MINUTE: Duration = Duration::from_secs(60);
        (time / self.share).max(time.min(MINUTE))
    }
}

/// The pause after failed attempt number `attempt` (1 for the first). `asked` is what the provider asked for: it is
/// the least that is waited, with up to a quarter on top so that not all workers come back at the same instant.
pub(crate) fn pause(attempt: u32, asked: Option<Duration>, random: f64) -> Duration {
    let random = random.clamp(0.0, 1.0);
    match asked {
        Some(asked) => asked.saturating_add((asked / 4).mul_f64(random)),
        None => {
            let doublings = attempt.saturating_sub(1).min(16);
            FIRST.saturating_mul(1 << doublings).min(LONGEST).mul_f64(random)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_eight_seconds() {
        let bounds: Vec<u128> = (1..=7).map(|attempt| pause(attempt, None, 1.0).as_millis()).collect();
        assert_eq!(bounds, [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
        assert_eq!(pause(u32::MAX, None, 1.0), LONGEST);
    }

    #[test]
    fn where_another_model_is_left_a_call_gets_half_of_a_long_time() {
        let seconds = Duration::from_secs;
        let times = |patience: Patience| [30, 90, 300].map(|time| patience.time(seconds(time)).as_secs());
        assert_eq!(times(Patience::SHORT), [30, 60, 150]);
        assert_eq!(times(Patience::LAST), [30, 90, 300]);
    }

    #[test]
    fn jitter_covers_the_whole_range() {
        assert_eq!(pause(3, None, 0.0), Duration::ZERO);
        assert_eq!(pause(3, None, 0.5), Duration::from_secs(1));
    }

    #[test]
    fn what_the_provider_asks_for_is_the_least() {
        let asked = Some(Duration::from_secs(20));
        assert_eq!(pause(1, asked, 0.0), Duration::from_secs(20));
        assert_eq!(pause(1, asked, 1.0), Duration::from_secs(25));
        assert_eq!(pause(1, Some(Duration::MAX), 1.0), Duration::MAX);
    }
}
