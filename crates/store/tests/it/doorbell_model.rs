//! The doorbell's protocol in a model checker: every interleaving of writers and a sleeper, step by step as PostgreSQL takes them.
//!
//! A step is what is atomic there: taking a snapshot, assigning a transaction id, committing. The model follows
//! `sql/functions/ring.sql` and `src/doorbell.rs`; what they guard against is taken out in turn, to see that the checker finds it.

use stateright::{Checker, Model, Property};

/// The protocol, and what is taken out of it.
#[derive(Clone, Debug, Default)]
struct Protocol {
    writers: usize,
    /// Waits after one look, whatever was under way when it registered.
    without_horizon: bool,
    /// Begins to hear only when it begins to wait.
    hears_late: bool,
    /// Looks before its registration is committed, and not again.
    looks_early: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    next_xid: u8,
    running: Vec<u8>,
    writers: Vec<Writer>,
    sleeper: Sleeper,
    /// Its row is committed.
    registered: bool,
    /// It has subscribed to the connection's notifications.
    hears: bool,
    /// A notification that it has not acted upon.
    rung: bool,
    /// Jobs that are committed and not claimed.
    jobs: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Writer {
    Idle,
    /// Its row is written under this transaction.
    Inserted(u8),
    /// Its trigger took a snapshot and saw, or did not see, a registration.
    Looked(u8, bool),
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sleeper {
    Claiming,
    Dozing,
    /// Its registration is under way in this transaction.
    Arming(u8),
    /// Looks; the transaction id that it took after the registration, once it has one.
    Looking(Option<u8>),
    /// Its last look found nothing.
    Satisfied,
    Waiting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Insert(usize),
    Look(usize),
    Commit(usize),
    Abort(usize),
    Sleeper,
}

impl State {
    fn begin(&mut self) -> u8 {
        let xid = self.next_xid;
        self.next_xid += 1;
        self.running.push(xid);
        xid
    }

    fn end(&mut self, xid: u8) {
        self.running.retain(|running| *running != xid);
    }

    fn xmin(&self) -> u8 {
        self.running.iter().copied().min().unwrap_or(self.next_xid)
    }

    /// One step of the sleeper. False: it waits, and nothing has rung.
    fn step(&mut self, protocol: &Protocol) -> bool {
        self.sleeper = match self.sleeper {
            // A claim that finds a job takes the registration away in the same transaction.
            Sleeper::Claiming if self.jobs > 0 => {
                self.jobs -= 1;
                self.registered = false;
                Sleeper::Claiming
            }
            Sleeper::Claiming => {
                self.rung = false;
                self.hears = !protocol.hears_late;
                Sleeper::Dozing
            }
            Sleeper::Dozing if self.registered || protocol.looks_early => {
                let found = self.jobs > 0;
                if !self.registered {
                    let xid = self.begin();
                    self.end(xid);
                    self.registered = true;
                }
                if found { self.awake() } else { Sleeper::Satisfied }
            }
            Sleeper::Dozing => Sleeper::Arming(self.begin()),
            Sleeper::Arming(xid) => {
                self.end(xid);
                self.registered = true;
                Sleeper::Looking(None)
            }
            Sleeper::Looking(_) if self.jobs > 0 => self.awake(),
            Sleeper::Looking(horizon) => {
                let horizon = horizon.unwrap_or(self.next_xid);
                if protocol.without_horizon || self.xmin() >= horizon {
                    Sleeper::Satisfied
                } else {
                    Sleeper::Looking(Some(horizon))
                }
            }
            Sleeper::Satisfied => {
                self.hears = true;
                Sleeper::Waiting
            }
            Sleeper::Waiting if self.rung => self.awake(),
            Sleeper::Waiting => return false,
        };
        true
    }

    fn awake(&mut self) -> Sleeper {
        self.hears = false;
        Sleeper::Claiming
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            next_xid: 1,
            running: Vec::new(),
            writers: vec![Writer::Idle; self.writers],
            sleeper: Sleeper::Claiming,
            registered: false,
            hears: false,
            rung: false,
            jobs: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (n, writer) in state.writers.iter().enumerate() {
            match writer {
                Writer::Idle => actions.push(Action::Insert(n)),
                Writer::Inserted(_) => actions.extend([Action::Look(n), Action::Abort(n)]),
                Writer::Looked(..) => actions.extend([Action::Commit(n), Action::Abort(n)]),
                Writer::Done => {}
            }
        }
        actions.push(Action::Sleeper);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Insert(n) => state.writers[n] = Writer::Inserted(state.begin()),
            Action::Look(n) => {
                let Writer::Inserted(xid) = state.writers[n] else { return None };
                state.writers[n] = Writer::Looked(xid, state.registered);
            }
            Action::Commit(n) => {
                let Writer::Looked(xid, saw) = state.writers[n] else { return None };
                state.writers[n] = Writer::Done;
                state.end(xid);
                state.jobs += 1;
                state.rung |= saw && state.hears;
            }
            Action::Abort(n) => {
                let (Writer::Inserted(xid) | Writer::Looked(xid, _)) = state.writers[n] else { return None };
                state.writers[n] = Writer::Done;
                state.end(xid);
            }
            Action::Sleeper if !state.step(self) => return None,
            Action::Sleeper => {}
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no job waits while its sleeper sleeps", |_, state: &State| {
                !(state.sleeper == Sleeper::Waiting && state.jobs > 0 && !state.rung)
            }),
            Property::sometimes("a ring wakes it", |_, state: &State| {
                state.sleeper == Sleeper::Waiting && state.rung && state.jobs > 0
            }),
            Property::sometimes("it looks more than once", |_, state: &State| {
                matches!(state.sleeper, Sleeper::Looking(Some(_)))
            }),
        ]
    }
}

const LOST: &str = "no job waits while its sleeper sleeps";

#[test]
fn no_interleaving_of_the_doorbell_loses_a_ring() {
    let checker = Protocol { writers: 3, ..Protocol::default() }.checker().spawn_bfs().join();
    assert!(checker.unique_state_count() > 1_000, "{} states are no proof", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn each_guard_of_the_doorbell_is_needed() {
    let broken = [
        Protocol { writers: 2, without_horizon: true, ..Protocol::default() },
        Protocol { writers: 2, hears_late: true, ..Protocol::default() },
        Protocol { writers: 2, looks_early: true, ..Protocol::default() },
    ];
    for protocol in broken {
        let checker = protocol.clone().checker().spawn_bfs().join();
        assert!(checker.discovery(LOST).is_some(), "nothing is lost by {protocol:?}");
    }
}
