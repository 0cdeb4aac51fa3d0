//! Looks on at a simulation and stops the test at whatever no fleet may do.

use std::time::Duration;

use super::{Happening, View, Watch};
use crate::Limits;

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Gone,
    Starting,
    Idle,
    Busy(usize),
}

/// Looks on.
pub struct Lawful {
    limits: Limits,
    workers: Vec<State>,
    now: Duration,
    /// By job.
    pub begun: Vec<Option<Duration>>,
    pub ended: Vec<Option<Duration>>,
}

impl Lawful {
    pub fn new(limits: Limits, jobs: usize) -> Lawful {
        Lawful {
            limits,
            workers: Vec::new(),
            now: Duration::ZERO,
            begun: vec![None; jobs],
            ended: vec![None; jobs],
        }
    }

    fn turn(&mut self, worker: usize, from: &[State], to: State) {
        self.workers.resize(self.workers.len().max(worker + 1), State::Gone);
        let state = self.workers[worker];
        assert!(from.contains(&state), "worker {worker} cannot turn from {state:?} to {to:?}");
        self.workers[worker] = to;
    }

    fn count(&self, of: impl Fn(&State) -> bool) -> u32 {
        self.workers.iter().filter(|state| of(state)).count() as u32
    }
}

impl Watch for Lawful {
    fn happened(&mut self, at: Duration, what: Happening) {
        assert!(at >= self.now, "time goes back from {:?} to {at:?}", self.now);
        self.now = at;
        match what {
            Happening::Launched { worker } => self.turn(worker, &[State::Gone], State::Starting),
            Happening::Up { worker } => self.turn(worker, &[State::Starting], State::Idle),
            Happening::Stopped { worker } => self.turn(worker, &[State::Starting, State::Idle], State::Gone),
            Happening::Started { worker, job } => {
                self.turn(worker, &[State::Idle], State::Busy(job));
                assert_eq!(self.begun[job].replace(at), None, "job {job} begins a second time");
                assert!(job == 0 || self.begun[job - 1].is_some(), "job {job} goes before the one before it");
            }
            Happening::Ended { worker, job } => {
                self.turn(worker, &[State::Busy(job)], State::Idle);
                assert_eq!(self.ended[job].replace(at), None, "job {job} ends a second time");
            }
        }
    }

    fn settled(&mut self, _at: Duration, view: View) {
        assert!(view.alive() <= self.limits.max, "{view:?} is above {:?}", self.limits);
        assert!(view.waiting == 0 || view.idle == 0, "a job waits beside an idle worker: {view:?}");
        let counted = View {
            waiting: view.waiting,
            starting: self.count(|state| *state == State::Starting),
            idle: self.count(|state| *state == State::Idle),
            busy: self.count(|state| matches!(state, State::Busy(_))),
        };
        assert_eq!(counted, view);
    }
}
