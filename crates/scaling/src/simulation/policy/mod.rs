//! The ways of scaling that can be compared.

mod doorbell;
mod keda;
mod target_tracking;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub(super) use doorbell::Doorbell;
pub(super) use keda::Keda;
pub(super) use target_tracking::TargetTracking;

use super::View;

/// A way of scaling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// This project's: [`crate::decide`], called when the doorbell rings and each second while there is work.
    Doorbell,
    /// KEDA with its defaults, which polls, in front of a Kubernetes Horizontal Pod Autoscaler.
    Keda,
    /// CloudWatch's target tracking on jobs per task, as Application Auto Scaling sets it up.
    TargetTracking,
}

impl Policy {
    /// All of them.
    pub const ALL: [Policy; 3] = [Policy::Doorbell, Policy::Keda, Policy::TargetTracking];

    /// As it is written on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Policy::Doorbell => "doorbell",
            Policy::Keda => "keda",
            Policy::TargetTracking => "target-tracking",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no policy has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no policy {0:?}: use one of doorbell, keda, target-tracking")]
pub struct UnknownPolicy(String);

impl FromStr for Policy {
    type Err = UnknownPolicy;

    fn from_str(name: &str) -> Result<Policy, UnknownPolicy> {
        let known = Policy::ALL.into_iter().find(|policy| policy.name() == name);
        known.ok_or_else(|| UnknownPolicy(name.to_owned()))
    }
}

/// What may wake a scaler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A job came.
    Arrived,
    /// A job began after it had waited, or ended.
    Other,
}

/// What comes of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// Workers.
    pub target: u32,
    /// None: not before something changes.
    pub again_at: Option<Duration>,
}

/// Looks now and then, and says how many workers there should be.
pub(super) trait Scaler {
    /// Something changed; gives when it looks because of that. The earliest wish since the last look counts.
    fn changed(&mut self, now: Duration, change: Change) -> Option<Duration>;
    /// It looks. `standing`: how many workers were asked for last; None: a decision has not taken effect yet.
    fn look(&mut self, now: Duration, view: &View, standing: Option<u32>) -> Look;
}

/// The first multiple of `period` that is not before `now`.
fn beat(now: Duration, period: Duration) -> Duration {
    let (now, period) = (now.as_nanos(), period.as_nanos());
    let late = now.div_ceil(period) * period;
    Duration::new((late / 1_000_000_000) as u64, (late % 1_000_000_000) as u32)
}

/// The first multiple of `period` after `now`.
fn next_beat(now: Duration, period: Duration) -> Duration {
    beat(now + Duration::from_nanos(1), period)
}
