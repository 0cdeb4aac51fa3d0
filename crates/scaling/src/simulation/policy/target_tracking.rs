//! Target tracking on jobs per running task, as Application Auto Scaling sets it up for a custom metric: one data point a minute; more tasks
//! once three in a row are above the target, fewer once fifteen in a row are more than a tenth below it; 300 s between two steps down.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html>,
//! <https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html>
//!
//! Where the service leaves room for judgement, it is taken at its best: a data point is there and acted on in the moment that
//! its minute ends; each step goes straight to the number of tasks that would meet the target, also down; and with no task
//! running, where jobs divided by tasks is no number and the policy would never wake, whoever publishes the metric gives one above the target.

use std::time::Duration;

use super::{Change, Look, Scaler, beat, next_beat};
use crate::Limits;
use crate::simulation::View;

const PERIOD: Duration = Duration::from_secs(60);
const POINTS_OUT: u32 = 3;
const POINTS_IN: u32 = 15;
const COOL_DOWN_IN: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(in crate::simulation) struct TargetTracking {
    limits: Limits,
    target: u32,
    /// Data points in a row.
    above: u32,
    below: u32,
    fewer_from: Duration,
}

impl TargetTracking {
    pub fn new(limits: Limits) -> TargetTracking {
        TargetTracking { limits, target: limits.min, above: 0, below: 0, fewer_from: Duration::ZERO }
    }
}

impl Scaler for TargetTracking {
    fn changed(&mut self, now: Duration, change: Change) -> Option<Duration> {
        (change == Change::Arrived).then(|| beat(now, PERIOD))
    }

    fn look(&mut self, now: Duration, view: &View, _standing: Option<u32>) -> Look {
        let Limits { min, max, jobs_per_worker, .. } = self.limits;
        let depth = u64::from(view.depth());
        let fits = u64::from(view.idle + view.busy) * u64::from(jobs_per_worker);
        let (is_above, is_below) = (depth > fits, depth == 0 || depth * 10 < fits * 9);
        self.above = if is_above { self.above.saturating_add(1) } else { 0 };
        self.below = if is_below { self.below.saturating_add(1) } else { 0 };
        let wanted = view.depth().div_ceil(jobs_per_worker).max(min).min(max);
        if self.above >= POINTS_OUT && wanted > self.target {
            self.target = wanted;
        } else if self.below >= POINTS_IN && wanted < self.target && now >= self.fewer_from {
            self.target = wanted;
            self.fewer_from = now + COOL_DOWN_IN;
        }
        // With nothing to do and nobody to send away, further data points change nothing.
        let at_rest = depth == 0 && self.target == min && self.below >= POINTS_IN;
        Look { target: self.target, again_at: (!at_rest).then(|| next_beat(now, PERIOD)) }
    }
}
