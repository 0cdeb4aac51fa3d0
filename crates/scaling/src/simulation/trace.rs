//! The jobs that a simulation is given: from a record of what was, or made up at a given rate.

use std::time::Duration;

use rand_distr::{Distribution, Exp};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::Spread;

/// Jobs that one trace holds at most: 320 MB of them.
pub const MOST_JOBS: usize = 10_000_000;

/// A job, as far as scaling is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Job {
    /// When a worker could start it, since the beginning of the trace.
    pub at: Duration,
    /// For how long a worker is at work on it.
    pub takes: Duration,
}

/// Jobs in the order in which they become ready, and the span of time that they stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    jobs: Vec<Job>,
    span: Duration,
}

impl Trace {
    /// Puts the jobs in order. `span` is made at least as long as it takes until the last one comes.
    pub fn new(mut jobs: Vec<Job>, span: Duration) -> Trace {
        jobs.sort_by_key(|job| job.at);
        let last = jobs.last().map_or(Duration::ZERO, |job| job.at);
        Trace { jobs, span: span.max(last) }
    }

    /// By `at`.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// The time in which these jobs came.
    pub fn span(&self) -> Duration {
        self.span
    }

    /// The beginning of the stretch of this length in which most jobs come; of several, the first.
    pub fn busiest(&self, stretch: Duration) -> Duration {
        let (mut first, mut most, mut busiest) = (0, 0, Duration::ZERO);
        for (last, job) in self.jobs.iter().enumerate() {
            while job.at - self.jobs[first].at > stretch {
                first += 1;
            }
            if last + 1 - first > most {
                (most, busiest) = (last + 1 - first, self.jobs[first].at);
            }
        }
        busiest.min(self.span.saturating_sub(stretch))
    }
}

/// Jobs that come independently of one another, at a steady rate (a Poisson process).
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Jobs a second, on average.
    pub per_second: f64,
    /// For so long.
    pub span: Duration,
    /// How long each is worked on.
    pub takes: Spread,
    /// Another seed, other jobs.
    pub seed: u64,
}

/// A workload that cannot be made up.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs)] // the message says it
pub enum WorkloadError {
    #[error("a rate of {0} jobs a second brings none: give a rate above zero")]
    NoRate(f64),
    #[error(
        "that would be about {0:.0} jobs, and a simulation holds at most {MOST_JOBS}: give a lower rate or a shorter time"
    )]
    TooMany(f64),
}

impl Workload {
    /// The jobs. None of them may come: a rate and a span are no promise.
    pub fn trace(&self) -> Result<Trace, WorkloadError> {
        let between = Exp::new(self.per_second).ok().filter(|_| self.per_second > 0.0);
        let between = between.ok_or(WorkloadError::NoRate(self.per_second))?;
        let expected = self.per_second * self.span.as_secs_f64();
        if expected > MOST_JOBS as f64 {
            return Err(WorkloadError::TooMany(expected));
        }
        let mut chance = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        let mut jobs = Vec::with_capacity((expected * 1.01) as usize + 16);
        let mut at = 0.0;
        loop {
            at += between.sample(&mut chance);
            let next = Duration::try_from_secs_f64(at).unwrap_or(Duration::MAX);
            if next > self.span {
                return Ok(Trace::new(jobs, self.span));
            }
            jobs.push(Job { at: next, takes: self.takes.draw(&mut chance) });
        }
    }
}
