//! The decision. Demand is ready plus running jobs, never ready alone: a job that is being worked on still needs its worker. More is
//! decided at once, fewer only after the cool-down. A worker that holds a job is never counted away. Without trustworthy data nothing
//! changes, and nothing changes more often than `history` allows.

use std::time::Duration;

use serde::Serialize;

use crate::{History, Limits, Why};

/// What was seen of the queue counts for so long.
pub const STALE: Duration = Duration::from_secs(5);

/// The queue of one mode, and its workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Jobs that a worker could start now.
    pub ready: u32,
    /// Jobs that a worker holds.
    pub running: u32,
    /// Workers that hold one of those.
    pub busy: u32,
    /// For how long this has been known.
    pub age: Duration,
}

impl Seen {
    /// Workers that it takes: one for each running job, and one for every so many that are ready.
    pub fn demand(&self, jobs_per_worker: u32) -> u32 {
        self.running.saturating_add(self.ready.div_ceil(jobs_per_worker.max(1)))
    }
}

/// How many workers there should be, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Workers.
    pub target: u32,
    /// A sentence for a person.
    pub why: Why,
    /// To be handed to the next decision.
    pub history: History,
    /// When to decide again though nothing happened. None: only when something happens.
    pub again_at: Option<Duration>,
}

/// Decides. `seen` None: the queue could not be asked.
pub fn decide(seen: Option<&Seen>, limits: &Limits, history: &History, now: Duration) -> Decision {
    let held = history.target;
    let hold = |why, history, again_at| Decision { target: held, why, history, again_at };
    let Some(seen) = seen else {
        return hold(Why::Unseen { held }, *history, None);
    };
    let Seen { running, busy, age, .. } = *seen;
    if age > STALE {
        return hold(Why::Stale { held, age }, *history, None);
    }
    if busy > running {
        return hold(Why::Contradiction { held, busy, running }, *history, None);
    }
    if limits.paused {
        return hold(Why::Paused { held }, history.held(None), None);
    }
    let wanted = wanted(seen, limits);
    if wanted == held {
        return hold(why(wanted, seen, limits), history.held(None), None);
    }
    let since = history.surplus_since.unwrap_or(now);
    let cooled_at = since + limits.cool_down;
    if wanted < held && now < cooled_at {
        return hold(Why::CoolDown { held, wanted }, history.held(Some(since)), Some(cooled_at));
    }
    let may_change_at = history.may_change_at(now);
    // Whoever holds a job counts at once: less would be a wish to stop them.
    if now < may_change_at && held >= busy {
        let surplus_since = (wanted < held).then_some(since);
        return hold(Why::TooOften { held, wanted }, history.held(surplus_since), Some(may_change_at));
    }
    let history = history.changed(wanted, now);
    Decision { target: wanted, why: why(wanted, seen, limits), history, again_at: None }
}

/// A limit that was lowered stops nobody who is at work.
fn wanted(seen: &Seen, limits: &Limits) -> u32 {
    let demand = seen.demand(limits.jobs_per_worker);
    let floor = if demand > 0 { limits.floor_while_busy } else { 0 };
    demand.max(floor).max(limits.min).min(limits.max).max(seen.busy)
}

fn why(target: u32, seen: &Seen, limits: &Limits) -> Why {
    match (seen.demand(limits.jobs_per_worker), target) {
        (0, 0) => Why::Asleep,
        (0, min) => Why::Kept { min },
        _ => Why::Needed { target, seen: *seen, limits: *limits },
    }
}

#[cfg(test)]
mod tests;
