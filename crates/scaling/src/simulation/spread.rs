//! A span of time that differs from one occasion to the next: log-normal, told by its median and its 95th percentile, which is how
//! people know the times of jobs and of starting machines.

use std::time::Duration;

use rand_distr::{Distribution, LogNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// The 95th percentile of the standard normal distribution.
const Z95: f64 = 1.644_853_626_951_472_2;
/// Nothing takes longer: a year. It bounds what a spread of absurd width may draw.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// Half of the times are below the median, and one in twenty is above the 95th percentile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    median: Duration,
    p95: Duration,
    /// None: always the median.
    shape: Option<LogNormal<f64>>,
}

/// Two numbers that no such spread has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the message says it
pub enum SpreadError {
    #[error(
        "the 95th percentile ({p95:?}) cannot be below the median ({median:?}): give one that is at least as long"
    )]
    Reversed { median: Duration, p95: Duration },
    #[error("a median of nothing has no spread: give a median above zero, or a 95th percentile of zero too")]
    Nothing,
}

impl Spread {
    /// Log-normal, with these two. Equal ones mean that it is always so long.
    pub fn new(median: Duration, p95: Duration) -> Result<Spread, SpreadError> {
        if p95 < median {
            return Err(SpreadError::Reversed { median, p95 });
        }
        if median == p95 {
            return Ok(Spread { median, p95, shape: None });
        }
        let (centre, high) = (median.as_secs_f64().ln(), p95.as_secs_f64().ln());
        let shape = LogNormal::new(centre, (high - centre) / Z95).ok().filter(|_| !median.is_zero());
        let shape = shape.ok_or(SpreadError::Nothing)?;
        Ok(Spread { median, p95, shape: Some(shape) })
    }

    /// Always so long.
    pub fn always(time: Duration) -> Spread {
        Spread { median: time, p95: time, shape: None }
    }

    /// Half are shorter.
    pub fn median(&self) -> Duration {
        self.median
    }

    /// One in twenty is longer.
    pub fn p95(&self) -> Duration {
        self.p95
    }

    /// One after the other, without end.
    pub fn draws(self, seed: u64) -> impl Iterator<Item = Duration> {
        let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
        std::iter::repeat_with(move || self.draw(&mut chance))
    }

    pub(super) fn draw(&self, chance: &mut Xoshiro256PlusPlus) -> Duration {
        match &self.shape {
            None => self.median,
            Some(shape) => {
                let time = Duration::try_from_secs_f64(shape.sample(chance));
                time.map_or(LONGEST, |time| time.min(LONGEST))
            }
        }
    }
}
