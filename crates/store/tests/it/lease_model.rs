//! Leases in a model checker: two workers, one job, a database's clock, heartbeats that take their time, and silence at any moment.
//!
//! The rules are those of `sql/functions/{claim_jobs,heartbeat,sweep_expired,hold}.sql` and of the worker's reckoning in
//! `worker/src/lease.rs`: it acts only until a time that lies before the end that the database knows. Each rule is taken out in
//! turn, to see that the checker finds what it is for.

use stateright::{Checker, Model, Property};

/// A lease, in ticks; two thirds of it and the margin are whole numbers of them.
const LEASE: u8 = 6;
const MARGIN: u8 = 1;
const END_OF_TIME: u8 = 10;

#[derive(Clone, Debug, Default)]
struct Rules {
    /// Writes are taken from whoever sends them.
    without_fence: bool,
    /// A worker reckons from a heartbeat's answer, not from when it was sent.
    from_the_answer: bool,
    /// A worker reckons with a whole lease after a claim, though a claim leaves a lease alone that is young enough.
    whole_lease_at_claim: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    now: u8,
    /// Who holds the job; None: it is queued.
    held_by: Option<usize>,
    attempt: u8,
    finished: u8,
    workers: [Worker; 2],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Worker {
    /// When its lease ends, by the database.
    lease_ends: u8,
    /// The attempt that it works on, and until when it may.
    at_work: Option<(u8, u8)>,
    /// When the heartbeat was sent that is under way, and what it will answer once it has arrived.
    heartbeat: Option<(u8, Option<bool>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Tick,
    Claim(usize),
    Send(usize),
    Arrive(usize),
    Answer(usize),
    Finish(usize),
}

impl State {
    fn acts(&self, worker: usize) -> bool {
        self.workers[worker].at_work.is_some_and(|(_, until)| self.now < until)
    }

    fn sweep(&mut self) {
        if self.held_by.is_some_and(|holder| self.workers[holder].lease_ends <= self.now) {
            self.held_by = None;
        }
    }
}

impl Model for Rules {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let registered = Worker { lease_ends: LEASE, ..Worker::default() };
        vec![State { now: 0, held_by: None, attempt: 0, finished: 0, workers: [registered; 2] }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.now < END_OF_TIME {
            actions.push(Action::Tick);
        }
        for (n, worker) in state.workers.iter().enumerate() {
            match worker.heartbeat {
                None if worker.at_work.is_some() => actions.push(Action::Send(n)),
                Some((_, None)) => actions.push(Action::Arrive(n)),
                Some((_, Some(_))) => actions.push(Action::Answer(n)),
                None => actions.push(Action::Claim(n)),
            }
            if worker.at_work.is_some() {
                actions.push(Action::Finish(n));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        let now = state.now;
        match action {
            Action::Tick => state.now += 1,
            Action::Claim(n) => {
                state.sweep();
                if state.held_by.is_some() || state.finished > 0 {
                    return None;
                }
                let worker = &mut state.workers[n];
                if worker.lease_ends < now + LEASE * 2 / 3 {
                    worker.lease_ends = now + LEASE;
                }
                state.attempt += 1;
                let counts_on = if self.whole_lease_at_claim { LEASE } else { LEASE * 2 / 3 };
                worker.at_work = Some((state.attempt, now + counts_on - MARGIN));
                state.held_by = Some(n);
            }
            Action::Send(n) => state.workers[n].heartbeat = Some((now, None)),
            Action::Arrive(n) => {
                let holds = state.held_by == Some(n)
                    && state.workers[n].at_work.map(|(attempt, _)| attempt) == Some(state.attempt);
                let worker = &mut state.workers[n];
                let in_time = worker.lease_ends > now;
                if in_time {
                    worker.lease_ends = now + LEASE;
                }
                let (sent, _) = worker.heartbeat?;
                worker.heartbeat = Some((sent, Some(in_time && holds)));
            }
            Action::Answer(n) => {
                let worker = &mut state.workers[n];
                let (sent, verdict) = worker.heartbeat.take()?;
                let from = if self.from_the_answer { now } else { sent };
                worker.at_work = match (worker.at_work, verdict?) {
                    (Some((attempt, until)), true) if now < until => Some((attempt, from + LEASE - MARGIN)),
                    _ => None, // lost, or too late to believe
                };
            }
            Action::Finish(n) => {
                let (attempt, _) = state.workers[n].at_work?;
                let fenced = state.held_by == Some(n) && attempt == state.attempt;
                state.workers[n].at_work = None;
                state.workers[n].heartbeat = None;
                if fenced || self.without_fence {
                    state.finished += 1;
                    state.held_by = None;
                }
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_ACTS, |_, state: &State| !(state.acts(0) && state.acts(1))),
            Property::always(ONE_RESULT, |_, state: &State| state.finished <= 1),
            Property::sometimes("a job changes hands", |_, state: &State| {
                state.attempt > 1 && state.finished == 1
            }),
            Property::sometimes("a lease is renewed", |_, state: &State| {
                state.attempt == 1 && state.held_by.is_some_and(|n| state.acts(n)) && state.now > LEASE
            }),
        ]
    }
}

const ONE_ACTS: &str = "no two workers act on the job at once";
const ONE_RESULT: &str = "the job has one result";

#[test]
fn no_interleaving_of_leases_lets_two_workers_act_or_finish() {
    let checker = Rules::default().checker().spawn_bfs().join();
    assert!(checker.unique_state_count() > 1_000, "{} states are no proof", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn each_rule_of_the_lease_is_needed() {
    let broken = [
        (Rules { without_fence: true, ..Rules::default() }, ONE_RESULT),
        (Rules { from_the_answer: true, ..Rules::default() }, ONE_ACTS),
        (Rules { whole_lease_at_claim: true, ..Rules::default() }, ONE_ACTS),
    ];
    for (rules, property) in broken {
        let checker = rules.clone().checker().spawn_bfs().join();
        assert!(checker.discovery(property).is_some(), "{rules:?} breaks nothing");
    }
}
