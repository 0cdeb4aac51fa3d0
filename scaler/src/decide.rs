//! How many workers there should be. Pure: the same function drives AWS, local processes and a simulation.
//!
//! Demand is ready plus running jobs, never ready alone: a job that is being worked on still needs its worker. More is decided
//! at once, fewer only after the cool-down. A worker that holds a job is never counted away. Without trustworthy data nothing
//! changes.

use std::time::Duration;

use serde::Serialize;
use store::ModeObservation;
use tokio::time::Instant;

/// The bounds of one fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Workers at most.
    pub max: u32,
    /// Workers at least while there is demand; not above `max`.
    pub floor_while_busy: u32,
    /// For so long fewer workers must have been enough before any are stopped.
    pub cool_down: Duration,
}

/// What is remembered from one decision to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The last target.
    pub target: u32,
    /// Since when fewer would have been enough. None: they are all needed.
    pub surplus_since: Option<Instant>,
}

/// How many workers there should be, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Workers.
    pub target: u32,
    /// A sentence for a person.
    pub reason: String,
    /// To be handed to the next decision.
    pub history: History,
    /// When to decide again though nothing happened. None: only when something happens.
    pub again_at: Option<Instant>,
}

/// Decides. `seen` None: the database could not be asked.
pub fn decide(seen: Option<&ModeObservation>, limits: &Limits, history: &History, now: Instant) -> Decision {
    let held = history.target;
    let Some(seen) = seen else {
        let reason = format!("holding {}: the queue cannot be seen", workers(held));
        return Decision { target: held, reason, history: *history, again_at: None };
    };
    if seen.busy > seen.running {
        let reason = format!(
            "holding {}: {} workers cannot be busy with {} jobs",
            workers(held),
            seen.busy,
            seen.running
        );
        return Decision { target: held, reason, history: *history, again_at: None };
    }
    let demand = seen.ready.saturating_add(seen.running);
    let floor = if demand > 0 { limits.floor_while_busy } else { 0 };
    // A limit that was lowered stops nobody who is at work.
    let wanted = demand.max(floor).min(limits.max).max(seen.busy);
    if wanted >= held {
        let reason = reason(seen, wanted, held, demand, limits);
        let history = History { target: wanted, surplus_since: None };
        return Decision { target: wanted, reason, history, again_at: None };
    }
    let since = history.surplus_since.unwrap_or(now);
    let until = since + limits.cool_down;
    if now < until {
        let reason = format!("holding {}: {} would do, waiting out the cool-down", workers(held), wanted);
        let history = History { surplus_since: Some(since), ..*history };
        return Decision { target: held, reason, history, again_at: Some(until) };
    }
    let reason = match wanted {
        0 => "nothing is queued or running: the fleet sleeps".to_owned(),
        _ => format!("{} are enough for {} ready and {} running", workers(wanted), seen.ready, seen.running),
    };
    Decision {
        target: wanted,
        reason,
        history: History { target: wanted, surplus_since: None },
        again_at: None,
    }
}

fn reason(seen: &ModeObservation, wanted: u32, held: u32, demand: u32, limits: &Limits) -> String {
    if wanted == held && demand == 0 {
        return "nothing is queued or running: the fleet sleeps".to_owned();
    }
    let why = if wanted == seen.busy && seen.busy > limits.max {
        format!("; the limit is {}, but none of them is idle", limits.max)
    } else if demand > wanted {
        format!("; the limit is {}", limits.max)
    } else if wanted > demand {
        format!("; at least {} while there is work", limits.floor_while_busy)
    } else {
        String::new()
    };
    format!("{} for {} ready and {} running{why}", workers(wanted), seen.ready, seen.running)
}

fn workers(n: u32) -> String {
    format!("{n} worker{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { max: 10, floor_while_busy: 0, cool_down: Duration::from_secs(15) };

    fn seen(ready: u32, running: u32) -> ModeObservation {
        ModeObservation { ready, running, busy: running, ..ModeObservation::default() }
    }

    fn held(target: u32) -> History {
        History { target, surplus_since: None }
    }

    #[test]
    fn a_job_wakes_a_worker_at_once() {
        let decision = decide(Some(&seen(1, 0)), &LIMITS, &held(0), Instant::now());
        assert_eq!((decision.target, decision.reason.as_str()), (1, "1 worker for 1 ready and 0 running"));
    }

    #[test]
    fn a_burst_goes_to_the_limit_in_one_step() {
        let decision = decide(Some(&seen(40, 2)), &LIMITS, &held(2), Instant::now());
        assert_eq!(decision.target, 10);
        assert!(decision.reason.ends_with("the limit is 10"), "{}", decision.reason);
    }

    #[test]
    fn the_fleet_sleeps_only_after_the_cool_down() {
        let start = Instant::now();
        let first = decide(Some(&seen(0, 0)), &LIMITS, &held(3), start);
        assert_eq!((first.target, first.again_at), (3, Some(start + LIMITS.cool_down)));
        let later = decide(Some(&seen(0, 0)), &LIMITS, &first.history, start + LIMITS.cool_down);
        assert_eq!(
            (later.target, later.reason.as_str()),
            (0, "nothing is queued or running: the fleet sleeps")
        );
    }

    #[test]
    fn a_job_during_the_cool_down_starts_it_anew() {
        let start = Instant::now();
        let first = decide(Some(&seen(0, 0)), &LIMITS, &held(3), start);
        let busy = decide(Some(&seen(3, 0)), &LIMITS, &first.history, start + Duration::from_secs(10));
        assert_eq!(busy.history, held(3));
    }

    #[test]
    fn without_trustworthy_data_it_holds() {
        let nonsense = ModeObservation { busy: 5, ..seen(0, 1) };
        for bad in [None, Some(&nonsense)] {
            let decision = decide(bad, &LIMITS, &held(4), Instant::now());
            assert_eq!((decision.target, decision.history), (4, held(4)));
        }
    }

    #[test]
    fn production_keeps_two_while_there_is_work() {
        let limits = Limits { floor_while_busy: 2, ..LIMITS };
        assert_eq!(decide(Some(&seen(1, 0)), &limits, &held(0), Instant::now()).target, 2);
        assert_eq!(decide(Some(&seen(0, 0)), &limits, &held(0), Instant::now()).target, 0);
    }

    proptest! {
        #[test]
        fn a_target_is_within_bounds_and_never_below_the_busy(
            ready in 0u32..100, running in 0u32..30, idle in 0u32..30, max in 0u32..20, floor in 0u32..20,
            target in 0u32..20, surplus in proptest::option::of(0u64..60), cool_down in 0u64..60,
        ) {
            let now = Instant::now() + Duration::from_secs(100);
            let busy = running.saturating_sub(idle);
            let seen = ModeObservation { busy, ..seen(ready, running) };
            let limits = Limits { max, floor_while_busy: floor.min(max), cool_down: Duration::from_secs(cool_down) };
            let history = History { target, surplus_since: surplus.map(|s| now - Duration::from_secs(s)) };
            let decision = decide(Some(&seen), &limits, &history, now);
            prop_assert!(decision.target >= busy);
            prop_assert!(decision.target <= max.max(busy).max(target));
            prop_assert!(decision.target >= (ready + running).min(max), "no job waits while a slot is free");
            prop_assert!(decision.target == decision.history.target);
            if decision.target > target.max(busy) {
                prop_assert!(decision.target <= max);
            }
        }
    }
}
