//! Has AWS told again what was set, and finds out whether somebody had changed it.
//!
//! It sees the bounds of the scalable targets. A desired count that somebody set on the ECS service itself shows only
//! in ECS: so what was set is sent again even where the bounds are as they should be, which mends that, untold.

use std::sync::Arc;

use domain::Mode;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::capacity::{Outcome, Report};
use super::gate::Permit;
use super::lane::Shared;
use super::orders::Order;
use super::per_mode::PerMode;
use super::targets::{Bounds, Targets, exact};
use aws_client::Kind;

/// The task that looks.
pub struct Drift {
    pub targets: Targets,
    pub lanes: PerMode<Shared>,
    pub permit: Permit,
    pub asked: Arc<Notify>,
    pub reports: mpsc::UnboundedSender<Report>,
    pub calm: std::time::Duration,
}

impl Drift {
    /// Looks whenever it is asked to, until `stop`, which also ends a look that is under way.
    pub async fn run(self, stop: CancellationToken) {
        let work = async {
            let mut failing = None;
            loop {
                self.asked.notified().await;
                failing = self.look(failing).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = work => {}
        }
    }

    /// One look; `failing` is how the last one failed, so that the log says it once.
    async fn look(&self, failing: Option<Kind>) -> Option<Kind> {
        let expected = PerMode::from_fn(|mode| self.expected(mode));
        let nothing = expected.mechanic.is_none() && expected.genius.is_none();
        let lasts = self.permit.borrow().is_some_and(|end| Instant::now() < end);
        if nothing || !lasts {
            return failing;
        }
        let time = self.targets.aws().time();
        let called_at = time.now();
        let found = match self.targets.describe().await {
            Ok(found) => found,
            Err(error) => {
                if failing != Some(error.kind) {
                    tracing::warn!("whether capacity is still as it was set cannot be seen: {error}");
                }
                return Some(error.kind);
            }
        };
        for &mode in Mode::ALL {
            let Some((version, order)) = *expected.of(mode) else { continue };
            let found = *found.of(mode);
            if !self.repeat(mode, version, found) || is_as_set(found, order.target) {
                continue;
            }
            _ = self.reports.send(Report {
                mode,
                target: order.target,
                ticket: order.ticket,
                at: time.now(),
                called_at: Some(called_at),
                outcome: Outcome::Drifted {
                    found_min: found.map(|(min, _)| min),
                    found_max: found.map(|(_, max)| max),
                },
            });
        }
        None
    }

    /// What AWS confirmed long enough ago to be seen, if nothing newer is wanted.
    fn expected(&self, mode: Mode) -> Option<(u64, Order)> {
        let lane = self.lanes.of(mode);
        let orders = *lane.orders.borrow();
        let (settled, since) = lane.standing.borrow().settled?;
        let calm = Instant::now().saturating_duration_since(since) >= self.calm;
        orders.order.filter(|_| settled == orders.version && calm).map(|order| (settled, order))
    }

    /// Has the order of `version` sent again. Not when there is a newer one: no call was made between that order's
    /// confirmation and now only if it still is the newest.
    fn repeat(&self, mode: Mode, version: u64, found: Bounds) -> bool {
        let lane = self.lanes.of(mode);
        lane.standing.send_if_modified(|standing| {
            let same = standing.settled.is_some_and(|(settled, _)| settled == version);
            if same {
                standing.target = exact(found);
            }
            same
        });
        lane.orders.send_if_modified(|orders| orders.repeat(version))
    }
}

fn is_as_set(found: Bounds, target: u32) -> bool {
    exact(found) == Some(target)
}
