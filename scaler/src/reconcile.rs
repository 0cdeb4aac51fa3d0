//! Observe, decide, act; again when something happened. Everything that it knows of the queue it has just read.

use std::sync::Arc;
use std::time::Duration;

use domain::Mode;
use scaling::pace::{BREATH, LOOK, is_settled};
use scaling::{History, Limits, decide};
use store::{Database, Doorbell, StoreError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::actuator::Actuator;
use crate::chronicle::Chronicle;
use crate::leadership::{Leadership, Standing};
use crate::limits;
use crate::look::Look;
use crate::settings::Settings;

/// Asleep beside workers that are there without work, a look tells whether they are well.
const LOOK_AT_IDLE_WORKERS: Duration = Duration::from_secs(30);
/// Asleep beside nobody, a look keeps the published figures honest.
const LOOK_AT_NOBODY: Duration = Duration::from_secs(15 * 60);

/// The scaler at work.
pub struct Reconciler<A> {
    pub database: Arc<Database>,
    pub settings: Settings,
    pub actuator: A,
    pub doorbell: Doorbell,
    pub chronicle: Chronicle,
    /// None: it is alone.
    pub leadership: Option<Leadership>,
    /// For whoever publishes: the last look, if this scaler leads.
    pub looks: watch::Sender<Option<Look>>,
    /// Where decisions' time begins.
    pub born: Instant,
    pub stop: CancellationToken,
    /// Somebody is out of patience with the stop.
    pub now: CancellationToken,
}

/// One mode's workers.
struct Fleet {
    mode: Mode,
    history: History,
    limits: Limits,
    /// When to decide again though nothing happened.
    again_at: Option<Duration>,
}

/// What comes after a turn.
enum Rest {
    /// Another scaler leads.
    StandBy(Instant),
    /// There is work; `room`: and room for another worker.
    Awake { room: bool },
    /// There is none; to be looked at again after this all the same.
    Asleep(Duration),
}

impl<A: Actuator> Reconciler<A> {
    /// Runs until it is told to stop; the actuator is stopped then, too.
    pub async fn run(mut self) -> Result<(), StoreError> {
        let mut fleets = Vec::new();
        let stop = self.stop.clone();
        let ended = loop {
            let rest = self.turn(&mut fleets).await;
            tokio::select! {
                () = stop.cancelled() => break Ok(()),
                rested = self.rest(rest) => if let Err(error) = rested { break Err(error) },
            }
        };
        self.actuator.stop(&self.now).await;
        if let Some(leadership) = &mut self.leadership {
            leadership.resign().await;
        }
        ended
    }

    async fn turn(&mut self, fleets: &mut Vec<Fleet>) -> Rest {
        match self.standing().await {
            Standing::StandsBy { until } => {
                self.looks.send_replace(None);
                return Rest::StandBy(until);
            }
            Standing::TookOver => fleets.clear(),
            Standing::Leads => {}
        }
        if fleets.is_empty() {
            *fleets = self.take_over().await;
        }
        let look = Look::take(&self.database, &self.actuator.workers(), self.settings.job_sla()).await;
        if self.leadership.as_ref().is_some_and(|leadership| !leadership.lasts()) {
            return Rest::StandBy(Instant::now()); // this process was stopped: perhaps another one leads by now
        }
        if let Some(look) = &look {
            self.actuator.end_silent(&look.silent());
            self.looks.send_replace(Some(look.clone()));
        }
        for fleet in fleets.iter_mut() {
            self.reconcile(fleet, look.as_ref()).await;
        }
        for news in self.actuator.news() {
            self.chronicle.heard(news).await;
        }
        self.chronicle.report().await;
        if self.chronicle.follows_a_wake() || look.as_ref().is_some_and(Look::needs_tending) {
            self.chronicle.tend(self.settings.job_sla()).await;
        }
        self.what_comes_now(fleets, look.as_ref())
    }

    async fn standing(&mut self) -> Standing {
        let Some(leadership) = &mut self.leadership else { return Standing::Leads };
        tokio::select! {
            standing = leadership.ask() => standing,
            () = self.stop.cancelled() => Standing::StandsBy { until: Instant::now() },
        }
    }

    /// What stands is what is held until there is a look: a scaler that starts knows nothing better.
    async fn take_over(&mut self) -> Vec<Fleet> {
        self.actuator.take_over().await;
        self.chronicle.took_over();
        let fleet = |&mode: &Mode| Fleet {
            mode,
            history: History::found(self.actuator.standing(mode).unwrap_or(0)),
            limits: self.settings.limits(mode),
            again_at: None,
        };
        Mode::ALL.iter().map(fleet).collect()
    }

    async fn reconcile(&mut self, fleet: &mut Fleet, look: Option<&Look>) {
        let mode = fleet.mode;
        let now = Instant::now();
        if let Some(look) = look {
            fleet.limits = limits::in_force(&self.settings.limits(mode), &look.seen.of(mode).limits);
        }
        let known = look.map(|look| look.of(mode, now));
        let decision = decide(known.as_ref(), &fleet.limits, &fleet.history, now - self.born);
        let previous = std::mem::replace(&mut fleet.history, decision.history).target;
        fleet.again_at = decision.again_at;
        // Without a look nobody is known to be idle, so nothing is touched.
        let Some(look) = look else { return };
        let seen = look.seen.of(mode);
        // What a pause holds is what stands, and of that nothing is known.
        if fleet.limits.paused && self.actuator.standing(mode).is_none() {
            return;
        }
        // First the deed, then the word.
        self.actuator.set(mode, decision.target, &seen.busy_ids).await;
        if decision.target != previous {
            self.chronicle.decided(mode, previous, &decision, seen, now).await;
        }
    }

    fn what_comes_now(&self, fleets: &[Fleet], look: Option<&Look>) -> Rest {
        let settled = |fleet: &Fleet| {
            is_settled(&fleet.history, fleet.again_at, &fleet.limits, self.actuator.standing(fleet.mode))
        };
        match look {
            Some(look) if look.is_quiet() && fleets.iter().all(settled) => {
                Rest::Asleep(if look.workers() > 0 { LOOK_AT_IDLE_WORKERS } else { LOOK_AT_NOBODY })
            }
            _ => Rest::Awake { room: fleets.iter().any(|fleet| fleet.history.target < fleet.limits.max) },
        }
    }

    /// Until something may have changed. Asleep, the doorbell counts, and what the hands have still to tell. Awake, it hears new jobs
    /// as long as there is room for another worker; without room a ring would change nothing, and inserts are spared it.
    async fn rest(&mut self, rest: Rest) -> Result<(), StoreError> {
        match rest {
            Rest::StandBy(until) => sleep_until(until).await,
            Rest::Asleep(at_most) => tokio::select! {
                woken = timeout(at_most, self.doorbell.sleep()) => if let Ok(woken) = woken { woken?; },
                () = self.actuator.changed() => {}
            },
            Rest::Awake { room } => {
                if !room {
                    self.doorbell
                        .wake()
                        .await
                        .unwrap_or_else(|error| tracing::debug!(%error, "still listed as a sleeper"));
                }
                tokio::select! {
                    () = sleep(LOOK) => {}
                    () = self.actuator.changed() => {}
                    () = heard(&mut self.doorbell), if room => sleep(BREATH).await,
                }
            }
        }
        Ok(())
    }
}

/// Returns when it rings; never when the bell is out of reach, since there is a look each second.
async fn heard(doorbell: &mut Doorbell) {
    if doorbell.rung().await.is_err() {
        std::future::pending().await
    }
}
