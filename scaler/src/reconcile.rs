//! Observe, decide, act; again when something happened. Everything that it knows of the queue it has just read.

use std::sync::Arc;
use std::time::Duration;

use domain::Mode;
use scaling::pace::{BREATH, LOOK};
use store::{Database, Doorbell, StoreError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::actuator::Actuator;
use crate::fleet::Fleet;
use crate::leadership::{Leadership, Standing};
use crate::look::Look;
use crate::scribe::Scribe;
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
    pub scribe: Scribe,
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
        self.scribe.close().await;
        ended
    }

    async fn turn(&mut self, fleets: &mut Vec<Fleet>) -> Rest {
        let (standing, look) = self.ask_and_look(fleets.is_empty()).await;
        match standing {
            Standing::StandsBy { until } => {
                self.looks.send_replace(None);
                return Rest::StandBy(until);
            }
            Standing::TookOver => fleets.clear(),
            Standing::Leads => {}
        }
        if self.leadership.as_ref().is_some_and(|leadership| !leadership.lasts()) {
            return Rest::StandBy(Instant::now()); // this process was stopped: perhaps another one leads by now
        }
        if fleets.is_empty() {
            *fleets = self.take_over().await;
        } else if fleets.iter_mut().any(|fleet| fleet.is_to_be_found(self.born.elapsed())) {
            self.actuator.take_over().await;
        }
        if let Some(look) = &look {
            self.actuator.end_silent(&look.silent());
            self.looks.send_replace(Some(look.clone()));
        }
        for fleet in fleets.iter_mut() {
            self.reconcile(fleet, look.as_ref()).await;
        }
        for news in self.actuator.news() {
            self.scribe.heard(news);
        }
        self.scribe.turned(look.as_ref().is_some_and(Look::needs_tending));
        self.what_comes_now(fleets, look.as_ref())
    }

    /// Who leads, and what there is to do: both questions at once, because a leader that wakes is a leader still, as a rule. Only
    /// one that begins (`new`) asks first.
    async fn ask_and_look(&mut self, new: bool) -> (Standing, Option<Look>) {
        let Reconciler { leadership, stop, database, actuator, settings, .. } = self;
        let standing = async {
            let Some(leadership) = leadership else { return Standing::Leads };
            tokio::select! {
                standing = leadership.ask() => standing,
                () = stop.cancelled() => Standing::StandsBy { until: Instant::now() },
            }
        };
        let workers = actuator.workers();
        let look = Look::take(database, &workers, settings.job_sla());
        if !new {
            return tokio::join!(standing, look);
        }
        match standing.await {
            standing @ Standing::StandsBy { .. } => (standing, None),
            standing => (standing, look.await),
        }
    }

    /// What stands is what is held until there is a look: a scaler that starts knows nothing better.
    async fn take_over(&mut self) -> Vec<Fleet> {
        self.actuator.take_over().await;
        let own: Vec<_> = Mode::ALL.iter().map(|&mode| (mode, self.settings.limits(mode))).collect();
        let now = self.born.elapsed();
        let fleets =
            own.iter().map(|&(mode, limits)| Fleet::new(mode, limits, self.actuator.standing(mode), now));
        let fleets = fleets.collect();
        self.scribe.took_over(own);
        fleets
    }

    async fn reconcile(&mut self, fleet: &mut Fleet, look: Option<&Look>) {
        let mode = fleet.mode;
        let now = Instant::now();
        if let Some(look) = look {
            fleet.limits = look.limits(mode, &self.settings.limits(mode));
        }
        let known = look.map(|look| look.of(mode, now));
        fleet.learn(self.actuator.standing(mode));
        let previous = fleet.history.target;
        let decision = fleet.decide(known.as_ref(), now - self.born);
        // Without a look nobody is known to be idle, so nothing is touched.
        let (Some(look), Some(decision)) = (look, decision) else { return };
        let seen = look.seen.of(mode);
        // What a pause holds is what stands, and of that nothing is known.
        if fleet.limits.paused && self.actuator.standing(mode).is_none() {
            return;
        }
        // First the deed, then the word.
        self.actuator.set(mode, decision.target, &seen.busy_ids).await;
        if decision.target != previous {
            self.scribe.decided(mode, previous, &decision, seen, now);
        }
    }

    fn what_comes_now(&self, fleets: &[Fleet], look: Option<&Look>) -> Rest {
        let settled = |fleet: &Fleet| fleet.is_settled(self.actuator.standing(fleet.mode));
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
