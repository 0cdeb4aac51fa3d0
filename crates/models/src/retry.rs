//! How long to wait before the next attempt: exponential back-off with full jitter, or what the provider asks for.

use std::sync::Arc;
use std::time::Duration;

/// Where randomness comes from: each call gives a number from 0 up to, but not including, 1.
pub type Random = Arc<dyn Fn() -> f64 + Send + Sync>;

/// The bound on the first pause; it doubles with each attempt, as the provider's own clients do it.
const FIRST: Duration = Duration::from_millis(500);
/// The bound that no pause of ours exceeds.
const LONGEST: Duration = Duration::from_secs(8);

/// After this many attempts the provider is taken to be down. About a hundred seconds of pauses on average.
pub(crate) const ATTEMPTS: u32 = 30;

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
