//! How many workers ECS runs, set through Application Auto Scaling: one call with minimum = maximum = target.
//!
//! Each service has a task of its own ([`lane`]), so that one that fails never holds the other up. Who sets a target
//! does not wait; what became of it comes as a [`Report`].
//!
//! [`lane`]: super::lane

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use domain::Mode;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::drift::Drift;
use super::gate::Permit;
use super::lane::{Habits, Lane, Shared};
use super::names::Names;
use super::orders::Order;
use super::per_mode::PerMode;
use super::targets::{Targets, exact};
use aws_client::Aws;
use aws_client::AwsError;

/// What became of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub mode: Mode,
    /// The number of workers that was asked for.
    pub target: u32,
    /// The owner's own number for it.
    pub ticket: i64,
    /// When this became known, by the wall clock.
    pub at: SystemTime,
    /// When the first request for it left, by the wall clock; None: none has.
    pub called_at: Option<SystemTime>,
    pub outcome: Outcome,
}

/// What became of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// AWS holds it.
    Set,
    /// Somebody had changed it, to these bounds (None: the target was gone). It is being set again: a [`Set`] follows.
    ///
    /// [`Set`]: Outcome::Set
    Drifted { found_min: Option<i32>, found_max: Option<i32> },
    /// It could not be set, and is tried again. Told once for a row of failures of one kind, not for each try.
    Failed(AwsError),
    /// After [`Failed`] calls succeed again. A [`Set`] follows.
    ///
    /// [`Failed`]: Outcome::Failed
    /// [`Set`]: Outcome::Set
    Recovered,
}

/// Sets how many workers of each mode ECS runs. Dropping it stops it; [`stop`] also waits.
///
/// [`stop`]: Capacity::stop
#[derive(Debug)]
pub struct Capacity {
    lanes: PerMode<Shared>,
    targets: Targets,
    permit: Permit,
    check: Arc<Notify>,
    reports: mpsc::UnboundedReceiver<Report>,
    tasks: Vec<JoinHandle<()>>,
    stop: DropGuard,
}

impl Capacity {
    /// Starts the tasks. Nothing is called before something is set or asked.
    ///
    /// `permit` says until when this process may make changes: None while it does not lead. No change is begun that
    /// might not end before that. A target that was set while leading is forgotten when the permit becomes None; one
    /// that is set before a permit comes waits for it. Asking what stands needs no permit.
    pub fn start(aws: &Aws, names: Names, habits: Habits, permit: Permit) -> Self {
        let stop = CancellationToken::new();
        let targets = Targets::new(aws, names);
        let lanes = PerMode::from_fn(|_| Shared::default());
        let (sender, reports) = mpsc::unbounded_channel();
        let check = Arc::new(Notify::new());
        let mut tasks: Vec<JoinHandle<()>> = Mode::ALL
            .iter()
            .map(|&mode| {
                let shared = lanes.of(mode).clone();
                let lane =
                    Lane::new(mode, targets.clone(), habits.clone(), permit.clone(), shared, sender.clone());
                tokio::spawn(lane.run(stop.clone()))
            })
            .collect();
        let drift = Drift {
            targets: targets.clone(),
            lanes: lanes.clone(),
            permit: permit.clone(),
            asked: check.clone(),
            reports: sender,
            calm: habits.calm,
        };
        tasks.push(tokio::spawn(drift.run(stop.clone())));
        Self { lanes, targets, permit, check, reports, tasks, stop: stop.drop_guard() }
    }

    /// Wants `target` workers of `mode` from now on, and returns at once. A newer target supersedes an older one, sent
    /// or not; the same target with the same ticket changes nothing. It is tried until it holds or is superseded.
    pub fn set(&self, mode: Mode, target: u32, ticket: i64) {
        let led = self.permit.borrow().is_some();
        let order = Order { target, ticket, led };
        self.lanes.of(mode).orders.send_if_modified(|orders| orders.ask(order));
    }

    /// What AWS last confirmed; None: unknown, because nothing was asked yet, a call is in doubt, or somebody else
    /// leads.
    pub fn standing(&self, mode: Mode) -> Option<u32> {
        self.lanes.of(mode).standing.borrow().target
    }

    /// Asks AWS what stands: for a process that begins to lead, before it sets anything. None: the service is no
    /// scalable target yet, or its minimum is not its maximum.
    ///
    /// # Errors
    ///
    /// When AWS does not answer. Nothing is tried again here.
    pub async fn found(&self) -> Result<PerMode<Option<u32>>, AwsError> {
        let bounds = self.targets.describe().await?;
        let found = PerMode { mechanic: exact(bounds.mechanic), genius: exact(bounds.genius) };
        for &mode in Mode::ALL {
            let lane = self.lanes.of(mode);
            // An order's own answer is newer.
            if lane.orders.borrow().order.is_none() {
                lane.standing.send_modify(|standing| standing.target = *found.of(mode));
            }
        }
        Ok(found)
    }

    /// Has AWS asked whether what was set still holds, and returns at once. Where it does not that is reported; it is
    /// set again in any case. Targets that are being sent anyway are left out, and nothing happens without a permit.
    pub fn check(&self) {
        self.check.notify_one();
    }

    /// The next report. May be cancelled without losing one.
    pub async fn report(&mut self) -> Report {
        match self.reports.recv().await {
            Some(report) => report,
            // The tasks end only with this.
            None => std::future::pending().await,
        }
    }

    /// Makes no other call, waits for one that is under way, and changes no capacity. What was not yet read of the
    /// reports is given back. Takes no longer than one call.
    pub async fn stop(mut self) -> Vec<Report> {
        drop(self.stop);
        let bound = self.targets.aws().patience().operation + Duration::from_secs(1);
        let ended = async {
            for task in &mut self.tasks {
                _ = task.await;
            }
        };
        if timeout(bound, ended).await.is_err() {
            self.tasks.iter().for_each(JoinHandle::abort);
        }
        std::iter::from_fn(|| self.reports.try_recv().ok()).collect()
    }
}
