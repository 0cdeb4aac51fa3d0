//! When jobs come during a day, and how long each of them takes. Pure: the same seed is the same day.

use std::time::Duration;

use rand_distr::{Distribution, Exp1, Uniform};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// Seconds between two bursts: at least, and so many more in the middle of all. A mode's target may be changed once in 5 s.
const BETWEEN: (f64, f64) = (5.0, 25.0);
/// Seconds of a job: at least, so many more in the middle of all, and at most.
const JOB: (f64, f64, f64) = (0.5, 2.5, 8.0);
/// One in three bursts has several jobs, up to so many: more than the largest fleet has workers.
const SEVERAL: (u32, u32) = (2, 16);

/// Jobs that come at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Burst {
    /// Since the beginning of the day.
    pub at: Duration,
    /// How long each of its jobs takes, in milliseconds.
    pub jobs_ms: Vec<i32>,
}

/// A day of this length.
pub fn plan(length: Duration, seed: u64) -> anyhow::Result<Vec<Burst>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (several, third) = (Uniform::new_inclusive(SEVERAL.0, SEVERAL.1)?, Uniform::new(0, 3)?);
    let more =
        |random: &mut Xoshiro256PlusPlus, middle: f64| middle * Distribution::<f64>::sample(&Exp1, random);
    let mut bursts = Vec::new();
    let mut at = 0.0;
    loop {
        at += BETWEEN.0 + more(&mut random, BETWEEN.1);
        if at >= length.as_secs_f64() {
            return Ok(bursts);
        }
        let jobs = if third.sample(&mut random) == 0 { several.sample(&mut random) } else { 1 };
        let job_ms = |_| ((JOB.0 + more(&mut random, JOB.1)).min(JOB.2) * 1e3) as i32;
        bursts.push(Burst { at: Duration::from_secs_f64(at), jobs_ms: (0..jobs).map(job_ms).collect() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_day_whose_bursts_and_jobs_keep_their_bounds() {
        let length = Duration::from_secs(1_800);
        let day = plan(length, 1).unwrap();
        assert_eq!(day, plan(length, 1).unwrap());
        assert_ne!(day, plan(length, 2).unwrap());
        assert!(day.windows(2).all(|two| two[1].at - two[0].at >= Duration::from_secs(5)));
        assert!(day.iter().all(|burst| burst.at < length && (1..=16).contains(&burst.jobs_ms.len())));
        assert!(day.iter().flat_map(|burst| &burst.jobs_ms).all(|ms| (500..=8_000).contains(ms)));
        assert!(day.iter().any(|burst| burst.jobs_ms.len() > 10), "the largest fleet is never short");
    }
}
