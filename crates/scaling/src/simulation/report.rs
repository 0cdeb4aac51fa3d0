//! What came of a simulation.

use std::time::Duration;

/// A job is to be started within so long.
pub const PROMISE: Duration = Duration::from_secs(60);

/// What came of a simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// From the moment at which each job could be started to that at which it was.
    pub waits: Waits,
    /// Time that workers spent on jobs, all together.
    pub working: Duration,
    /// Time that tasks were there, from the call that asked for them, all together.
    pub alive: Duration,
    /// The same as it is charged for: each task at least a minute.
    pub charged: Duration,
    /// How often the scaler changed its mind.
    pub changes: u64,
    /// Tasks at most at one time.
    pub most: u32,
    /// What it covers: the trace's span, or until the last job was done and the fleet at rest if that is later.
    pub span: Duration,
}

impl Report {
    /// Of the time that tasks were there, the part in which they worked, 0 to 1. Where there were none: 0.
    pub fn utilisation(&self) -> f64 {
        match self.alive.as_secs_f64() {
            0.0 => 0.0,
            alive => self.working.as_secs_f64() / alive,
        }
    }

    /// Hours of tasks that are charged.
    pub fn task_hours(&self) -> f64 {
        self.charged.as_secs_f64() / 3_600.0
    }

    /// Two fleets side by side. `most` is then at least what both had together at one time.
    pub fn and(self, other: Report) -> Report {
        Report {
            waits: self.waits.and(other.waits),
            working: self.working + other.working,
            alive: self.alive + other.alive,
            charged: self.charged + other.charged,
            changes: self.changes + other.changes,
            most: self.most + other.most,
            span: self.span.max(other.span),
        }
    }
}

/// How long jobs waited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    sorted: Vec<Duration>,
}

impl Waits {
    pub(super) fn new(mut waits: Vec<Duration>) -> Waits {
        waits.sort_unstable();
        Waits { sorted: waits }
    }

    /// Jobs.
    pub fn jobs(&self) -> usize {
        self.sorted.len()
    }

    /// The wait that this share of the jobs (0 to 1) did not exceed; nothing where there were none.
    pub fn quantile(&self, share: f64) -> Duration {
        let rank = (share * self.sorted.len() as f64).ceil() as usize;
        self.sorted.get(rank.clamp(1, self.sorted.len().max(1)) - 1).copied().unwrap_or_default()
    }

    /// On average; nothing where there were none.
    pub fn mean(&self) -> Duration {
        let all: Duration = self.sorted.iter().sum();
        all.checked_div(u32::try_from(self.sorted.len()).unwrap_or(u32::MAX)).unwrap_or_default()
    }

    /// The share of the jobs, 0 to 1, that waited no longer. Where there were none: 1.
    pub fn within(&self, limit: Duration) -> f64 {
        match self.sorted.len() {
            0 => 1.0,
            all => self.sorted.partition_point(|wait| *wait <= limit) as f64 / all as f64,
        }
    }

    fn and(self, other: Waits) -> Waits {
        Waits::new([self.sorted, other.sorted].concat())
    }
}
