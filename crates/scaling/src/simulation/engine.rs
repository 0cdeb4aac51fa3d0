//! The course of events. Jobs are done in the order in which they came, so that the queue is two places in the trace, and nothing is
//! allocated for an event.

use std::time::Duration;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::agenda::{Agenda, Event};
use super::fleet::Fleet;
use super::policy::{Change, Doorbell, Keda, Policy, Scaler, TargetTracking};
use super::{Happening, Report, Setup, SetupError, Spread, Trace, View, Waits, Watch};

/// Runs the trace to its end: until every job is done and the fleet is back at its minimum, or until the trace's span is over if that is
/// later. Blocks: a million jobs take about a second.
pub fn simulate(
    trace: &Trace,
    setup: &Setup,
    policy: Policy,
    watch: &mut impl Watch,
) -> Result<Report, SetupError> {
    setup.check()?;
    Ok(match policy {
        Policy::Doorbell => Engine::new(trace, setup, Doorbell::new(setup), watch).run(),
        Policy::Keda => Engine::new(trace, setup, Keda::new(setup.limits), watch).run(),
        Policy::TargetTracking => Engine::new(trace, setup, TargetTracking::new(setup.limits), watch).run(),
    })
}

pub(super) struct Engine<'a, S, W> {
    trace: &'a Trace,
    /// Jobs of the trace that came, and those of them that began.
    came: usize,
    began: usize,
    fleet: Fleet,
    agenda: Agenda,
    scaler: S,
    watch: &'a mut W,
    /// When the scaler looks next.
    look_at: Option<Duration>,
    /// What the scaler decided, and what of it has taken effect.
    target: u32,
    desired: u32,
    /// Decisions that have not taken effect yet.
    under_way: u32,
    least: u32,
    start: Spread,
    effect: Duration,
    chance: Xoshiro256PlusPlus,
    waits: Vec<Duration>,
    working: Duration,
    changes: u64,
    most: u32,
}

/// In this order among those of one moment: whoever looks sees all that has happened.
enum Next {
    Event(Event),
    Arrival,
    Look,
}

impl<'a, S: Scaler, W: Watch> Engine<'a, S, W> {
    pub fn new(trace: &'a Trace, setup: &Setup, scaler: S, watch: &'a mut W) -> Engine<'a, S, W> {
        let least = setup.limits.min;
        let mut engine = Engine {
            trace,
            came: 0,
            began: 0,
            fleet: Fleet::default(),
            agenda: Agenda::default(),
            scaler,
            watch,
            look_at: Some(Duration::ZERO),
            target: least,
            desired: least,
            under_way: 0,
            least,
            start: setup.start,
            effect: setup.effect,
            chance: Xoshiro256PlusPlus::seed_from_u64(setup.seed),
            waits: Vec::with_capacity(trace.jobs().len()),
            working: Duration::ZERO,
            changes: 0,
            most: least,
        };
        for _ in 0..least {
            let (worker, life) = engine.launch(Duration::ZERO);
            engine.come_up(Duration::ZERO, worker, life);
        }
        engine
    }

    pub fn run(mut self) -> Report {
        let mut end = Duration::ZERO;
        while let Some((now, next)) = self.next() {
            if now > self.trace.span() && self.is_done() {
                break;
            }
            match next {
                Next::Event(event) => {
                    end = now;
                    self.happen(now, event);
                }
                Next::Arrival => {
                    self.came += 1;
                    self.begin(now);
                    self.tell(now, Change::Arrived);
                }
                Next::Look => self.look(now),
            }
            let view = self.view();
            self.most = self.most.max(view.alive());
            self.watch.settled(now, view);
        }
        let span = end.max(self.trace.span());
        let (alive, charged) = self.fleet.close(span);
        Report {
            waits: Waits::new(self.waits),
            working: self.working,
            alive,
            charged,
            changes: self.changes,
            most: self.most,
            span,
        }
    }

    fn next(&mut self) -> Option<(Duration, Next)> {
        let event = self.agenda.next_at();
        let arrival = self.trace.jobs().get(self.came).map(|job| job.at);
        let now = [event, arrival, self.look_at].into_iter().flatten().min()?;
        if event == Some(now) {
            return self.agenda.take().map(|event| (now, Next::Event(event)));
        }
        Some((now, if arrival == Some(now) { Next::Arrival } else { Next::Look }))
    }

    fn is_done(&self) -> bool {
        self.began == self.trace.jobs().len() && self.fleet.busy() == 0 && self.fleet.alive() <= self.least
    }

    fn happen(&mut self, now: Duration, event: Event) {
        match event {
            Event::Ended { worker } => {
                let job = self.fleet.finish(worker);
                self.watch.happened(now, Happening::Ended { worker, job });
                // One that was wished away while it was protected goes as soon as it is not.
                self.resize(now);
                self.begin(now);
                self.tell(now, Change::Other);
            }
            Event::Up { worker, life } => self.come_up(now, worker, life),
            Event::Desired { workers } => {
                self.desired = workers;
                self.under_way -= 1;
                self.resize(now);
            }
        }
    }

    fn launch(&mut self, now: Duration) -> (usize, u32) {
        let (worker, life) = self.fleet.launch(now);
        self.watch.happened(now, Happening::Launched { worker });
        (worker, life)
    }

    fn come_up(&mut self, now: Duration, worker: usize, life: u32) {
        if self.fleet.come_up(worker, life) {
            self.watch.happened(now, Happening::Up { worker });
            self.begin(now);
            self.tell(now, Change::Other);
        }
    }

    /// The first job in line is begun, if there is one and somebody to do it.
    fn begin(&mut self, now: Duration) {
        let job = self.began;
        if job == self.came {
            return;
        }
        let Some(worker) = self.fleet.begin(job) else { return };
        let Some(begun) = self.trace.jobs().get(job) else { return };
        self.began += 1;
        self.waits.push(now - begun.at);
        self.working += begun.takes;
        self.agenda.enter(now + begun.takes, Event::Ended { worker });
        self.watch.happened(now, Happening::Started { worker, job });
    }

    fn resize(&mut self, now: Duration) {
        while self.fleet.alive() < self.desired {
            let (worker, life) = self.launch(now);
            let up_at = now + self.start.draw(&mut self.chance);
            self.agenda.enter(up_at, Event::Up { worker, life });
        }
        while self.fleet.alive() > self.desired {
            let Some(worker) = self.fleet.stop_one(now) else { return };
            self.watch.happened(now, Happening::Stopped { worker });
        }
    }

    fn tell(&mut self, now: Duration, change: Change) {
        let wish = self.scaler.changed(now, change);
        self.look_at = [self.look_at, wish].into_iter().flatten().min();
    }

    fn look(&mut self, now: Duration) {
        let standing = (self.under_way == 0).then_some(self.desired);
        let look = self.scaler.look(now, &self.view(), standing);
        self.look_at = look.again_at;
        if look.target != self.target {
            self.target = look.target;
            self.changes += 1;
            self.under_way += 1;
            self.agenda.enter(now + self.effect, Event::Desired { workers: look.target });
        }
    }

    fn view(&self) -> View {
        View {
            waiting: u32::try_from(self.came - self.began).unwrap_or(u32::MAX),
            starting: self.fleet.starting(),
            idle: self.fleet.idle(),
            busy: self.fleet.busy(),
        }
    }
}
