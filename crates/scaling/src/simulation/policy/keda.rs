//! KEDA with its defaults, scaling on jobs that are not done (waiting and at work), which is how its users keep busy workers.
//!
//! KEDA itself only wakes (0 to 1) and puts to sleep (to 0): it polls each 30 s, and sleeps after 300 s without work
//! (<https://keda.sh/docs/latest/reference/scaledobject-spec/>). In between a Horizontal Pod Autoscaler decides each 15 s:
//! ceil(depth / target), nothing within a tolerance of 0.1, at most four more or twice as many at a time, and fewer only down to the
//! highest wish of the last 300 s (<https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/>).

use std::time::Duration;

use super::{Change, Look, Scaler, beat, next_beat};
use crate::Limits;
use crate::simulation::View;

const POLL: Duration = Duration::from_secs(30);
const COOL_DOWN: Duration = Duration::from_secs(300);
const SYNC: Duration = Duration::from_secs(15);
/// Wishes that are remembered: those of the last 300 s.
const REMEMBERED: usize = 20;
/// More pods at a time, where twice as many would be less.
const AT_ONCE: u32 = 4;

#[derive(Debug)]
pub(in crate::simulation) struct Keda {
    limits: Limits,
    target: u32,
    active_at: Duration,
    wishes: [u32; REMEMBERED],
    next_wish: usize,
}

impl Keda {
    pub fn new(limits: Limits) -> Keda {
        Keda { limits, target: limits.min, active_at: Duration::ZERO, wishes: [0; REMEMBERED], next_wish: 0 }
    }

    /// KEDA's own part; true when it woke the fleet or put it to sleep.
    fn poll(&mut self, now: Duration, depth: u32) -> bool {
        if depth > 0 {
            self.active_at = now;
        }
        let before = self.target;
        if depth > 0 && self.target == 0 {
            self.target = 1;
            self.wishes = [0; REMEMBERED];
        } else if depth == 0 && self.limits.min == 0 && now.saturating_sub(self.active_at) >= COOL_DOWN {
            self.target = 0;
        }
        self.target != before
    }

    /// The Horizontal Pod Autoscaler's part.
    fn sync(&mut self, depth: u32) {
        let (now, per_worker) = (self.target, self.limits.jobs_per_worker);
        let fits = now.saturating_mul(per_worker);
        let is_near = u64::from(depth.abs_diff(fits)) * 10 <= u64::from(fits);
        let wish = if is_near { now } else { depth.div_ceil(per_worker) };
        let wish = wish.clamp(self.limits.min.max(1), self.limits.max);
        self.wishes[self.next_wish] = wish;
        self.next_wish = (self.next_wish + 1) % REMEMBERED;
        self.target = if wish >= now {
            wish.min(now.saturating_mul(2).max(now + AT_ONCE))
        } else {
            self.wishes.into_iter().max().unwrap_or(wish).min(now)
        };
    }
}

impl Scaler for Keda {
    fn changed(&mut self, now: Duration, change: Change) -> Option<Duration> {
        let asleep = self.target == 0 && change == Change::Arrived;
        asleep.then(|| beat(now, POLL))
    }

    fn look(&mut self, now: Duration, view: &View, _standing: Option<u32>) -> Look {
        let depth = view.depth();
        let switched = beat(now, POLL) == now && self.poll(now, depth);
        if self.target > 0 && !switched {
            self.sync(depth);
        }
        let again_at = match (self.target, depth) {
            (0, 0) => None,
            (0, _) => Some(next_beat(now, POLL)),
            _ => Some(next_beat(now, SYNC)),
        };
        Look { target: self.target, again_at }
    }
}
