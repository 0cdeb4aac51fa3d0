mod lawful;
mod policies;
mod properties;
mod queueing;
mod reports;

use std::time::Duration;

use super::*;
use crate::Limits;

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Up to ten workers, whose tasks take 30 s to start, with a scaler that hears and acts at once.
fn setup() -> Setup {
    Setup {
        limits: Limits::up_to(10),
        start: Spread::always(s(30)),
        hearing: Duration::ZERO,
        effect: Duration::ZERO,
        seed: 1,
    }
}

/// Jobs given as (at, takes) in seconds.
fn jobs(jobs: &[(u64, u64)]) -> Trace {
    let jobs = jobs.iter().map(|&(at, takes)| Job { at: s(at), takes: s(takes) }).collect();
    Trace::new(jobs, Duration::ZERO)
}

fn run(trace: &Trace, setup: &Setup, policy: Policy) -> Report {
    simulate(trace, setup, policy, &mut ()).unwrap()
}
