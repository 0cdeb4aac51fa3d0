//! How often in a row the answer of a model call may be lost, and how long the loop waits before the next one. Pure.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// With so many answers lost in a row the run ends: each may have been paid for.
pub(crate) const IN_A_ROW: u32 = 3;
/// The bound on the first pause; it doubles with each loss.
const FIRST: Duration = Duration::from_secs(1);

/// The pause after the `losses`-th loss in a row, from half of its bound up to all of it. `seed` is whatever differs from
/// job to job, so that not all of them come back at the same instant.
pub(crate) fn pause(losses: u32, seed: impl Hash) -> Duration {
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    let bound = FIRST * (1 << losses.saturating_sub(1).min(IN_A_ROW));
    bound / 2 + bound.mul_f64((hasher.finish() % 1_000) as f64 / 2_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ_from_job_to_job() {
        for (losses, bound) in [(1, 1_000), (2, 2_000)] {
            let pauses: Vec<u128> = (0..100).map(|seed| pause(losses, seed).as_millis()).collect();
            assert!(pauses.iter().all(|pause| (bound / 2..=bound).contains(pause)), "{pauses:?}");
            assert!(pauses.iter().any(|pause| *pause < bound * 5 / 8));
            assert!(pauses.iter().any(|pause| *pause > bound * 7 / 8));
        }
    }
}
