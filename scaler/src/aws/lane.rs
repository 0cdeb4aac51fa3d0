//! One service's task: it makes AWS hold what is wanted, one call at a time, until it holds.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use domain::Mode;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::brake::Brake;
use super::capacity::{Outcome, Report};
use super::course::{Course, Pauses};
use super::gate::Permit;
use super::next::{Next, View};
use super::orders::{Order, Orders};
use super::targets::{Refusal, Targets};

/// How the calls of a service follow one another.
#[derive(Clone)]
pub struct Habits {
    /// Between two tries.
    pub pauses: Pauses,
    /// Calls that may follow at once.
    pub burst: u32,
    /// Between two calls, after a burst.
    pub interval: Duration,
    /// How long a target must have held before it is compared: for moments after a change, AWS may still tell the old.
    pub calm: Duration,
    /// Where randomness comes from: each call gives a number from 0 up to, but not including, 1.
    pub random: Arc<dyn Fn() -> f64 + Send + Sync>,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            pauses: Pauses::default(),
            // A wake-up with its corrections and retries never waits; a loop gone wild costs 1 call a second, which
            // with both services stays below what AWS allows an account.
            burst: 10,
            interval: Duration::from_secs(1),
            calm: Duration::from_secs(5),
            random: Arc::new(rand::random::<f64>),
        }
    }
}

/// What is known of the capacity at AWS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What AWS confirmed last; None: unknown.
    pub target: Option<u32>,
    /// The order that it confirmed, and when. None: none yet.
    pub settled: Option<(u64, Instant)>,
}

/// What a service's task shares with its owner and with the drift check.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    pub orders: Arc<watch::Sender<Orders>>,
    pub standing: Arc<watch::Sender<Standing>>,
}

/// One service's task.
pub struct Lane {
    mode: Mode,
    targets: Targets,
    habits: Habits,
    brake: Brake,
    permit: Permit,
    shared: Shared,
    reports: mpsc::UnboundedSender<Report>,
    course: Course,
    /// The newest version that was wanted while there was a permit.
    led: u64,
    /// Whether there was a permit at the last look.
    leads: bool,
    settled: u64,
    pause: Option<(u64, Instant)>,
    /// When an order of this version left for the first time.
    first_call: Option<(u64, SystemTime)>,
}

impl Lane {
    pub fn new(
        mode: Mode,
        targets: Targets,
        habits: Habits,
        permit: Permit,
        shared: Shared,
        reports: mpsc::UnboundedSender<Report>,
    ) -> Self {
        Self {
            brake: Brake::new(habits.burst, habits.interval),
            course: Course::default(),
            led: 0,
            leads: false,
            settled: 0,
            pause: None,
            first_call: None,
            mode,
            targets,
            habits,
            permit,
            shared,
            reports,
        }
    }

    /// Works until `stop`. A call that is under way then is waited for, and no other is made.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut wanted = self.shared.orders.subscribe();
        while !stop.is_cancelled() {
            let orders = *wanted.borrow_and_update();
            let until = match self.look(orders) {
                Next::Send(order) => match self.brake.take() {
                    Ok(()) => {
                        self.send(order, orders.version).await;
                        continue;
                    }
                    Err(wait) => Some(Instant::now() + wait),
                },
                Next::Forget => {
                    self.shared.orders.send_if_modified(|wanted| wanted.forget(orders.version));
                    continue;
                }
                Next::Rest(until) => until,
            };
            tokio::select! {
                () = stop.cancelled() => {}
                _ = wanted.changed() => {}
                () = changed(&mut self.permit) => {}
                () = reached(until) => {}
            }
        }
    }

    fn look(&mut self, orders: Orders) -> Next {
        let permit = *self.permit.borrow_and_update();
        if permit.is_some() {
            self.led = orders.version;
        } else if self.leads {
            // Whoever leads now changes it.
            self.shared.standing.send_modify(|standing| standing.target = None);
        }
        self.leads = permit.is_some();
        let operation = self.targets.aws().patience().operation;
        let view =
            View { orders, settled: self.settled, led: self.led, permit, pause: self.pause, operation };
        view.next(Instant::now())
    }

    async fn send(&mut self, order: Order, version: u64) {
        let answer = self.targets.register(self.mode, order.target, self.permit.clone()).await;
        let called_at = match self.first_call {
            Some((sent, at)) if sent == version => Some(at),
            _ => answer.called_at,
        };
        self.first_call = called_at.map(|at| (version, at));
        let report = |outcome| Report {
            mode: self.mode,
            target: order.target,
            ticket: order.ticket,
            at: answer.at,
            called_at,
            outcome,
        };
        match answer.result {
            Ok(()) => {
                self.settled = version;
                let settled = Some((version, Instant::now()));
                self.shared.standing.send_replace(Standing { target: Some(order.target), settled });
                if self.course.succeeded() {
                    _ = self.reports.send(report(Outcome::Recovered));
                }
                _ = self.reports.send(report(Outcome::Set));
            }
            // The permit is gone, and with it the reason to try.
            Err(Refusal::Lapsed) => {}
            Err(Refusal::Failed(error)) => {
                if error.in_doubt {
                    self.shared.standing.send_modify(|standing| standing.target = None);
                }
                let random = (self.habits.random)();
                let (news, pause) = self.course.failed(&error, &self.habits.pauses, random);
                self.pause = Some((version, Instant::now() + pause));
                if news {
                    _ = self.reports.send(report(Outcome::Failed(error)));
                }
            }
        }
    }
}

/// Returns when the permit changes; never when nobody is left who could change it.
async fn changed(permit: &mut Permit) {
    if permit.changed().await.is_err() {
        std::future::pending().await
    }
}

async fn reached(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}
