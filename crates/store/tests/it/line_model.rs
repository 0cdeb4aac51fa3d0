//! How a line's beginning moves, in a model checker: jobs that get a turn at one moment and are committed later, claims that take the
//! least turn from the beginning on, and the steps in which some of these claims move the beginning.
//!
//! The model follows `sql/functions/{advance_line,next_turn,line_up}.sql`. Each rule is taken out in turn, to see that the checker
//! finds a job that stands before the beginning, where no claim looks.

mod state;

use std::collections::BTreeSet;

use stateright::{Checker, Model, Property};

use self::state::{Arrival, Claimer, Line, State, without};

/// Jobs that stand in line at first, by their turns.
const STANDING: u8 = 3;
const CLAIMERS: usize = 2;

#[derive(Clone, Debug, Default)]
struct Protocol {
    arrivals: usize,
    /// The beginning moves as soon as the next one is written down and its horizon known.
    without_horizon: bool,
    /// The horizon is a snapshot's xmax, which lies behind the latest id that has ended.
    horizon_of_snapshot: bool,
    /// The horizon is taken when the next beginning is written, not when that is committed.
    horizon_at_once: bool,
    /// One transaction takes the first two steps, which comes to the same.
    two_steps_at_once: bool,
    /// An arrival looks at the line only, not at its next beginning.
    blind_to_next: bool,
    /// An arrival looks, and gets its transaction's id afterwards.
    looks_before_its_id: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Begin(usize),
    /// It gets its turn; true: at the head of the line, as a job that is given back.
    Look(usize, bool),
    Arrive(usize),
    Turn(usize),
    Take(usize),
    Advance(usize),
    Commit(usize),
    Abort(usize),
}

impl Protocol {
    fn turn(&self, state: &State, head: bool) -> u8 {
        let next = if self.blind_to_next { 0 } else { state.line.next_start };
        if head { next } else { next.max(state.first().unwrap_or(0)) + 1 }
    }

    fn advance(&self, state: &mut State, n: usize) -> Option<()> {
        let locked = |other: &Claimer| other.wrote.is_some();
        if state.claimers.iter().enumerate().any(|(other, claimer)| other != n && locked(claimer)) {
            return None;
        }
        let own = state.claimers[n].clone();
        if own.wrote.is_some() && !self.two_steps_at_once {
            return None;
        }
        let turn = *own.taken.last()?;
        let mut line = own.wrote.unwrap_or(state.line);
        if line.next_start > line.starts_at && line.horizon.is_none() {
            // A subtransaction's id. It ends with the transaction, which has an earlier one.
            line.horizon = Some(if self.horizon_of_snapshot { state.xmax() } else { state.new_xid() });
        } else if line.next_start == line.starts_at
            || line.horizon.is_some_and(|horizon| self.without_horizon || horizon <= state.xmin())
        {
            // What it has taken itself counts as gone: it may have written so.
            let others = without(&state.turns, &own.taken);
            let first = others.into_iter().filter(|turn| *turn >= line.starts_at).min();
            line.starts_at = line.next_start.min(first.unwrap_or(u8::MAX));
            line.next_start = line.next_start.max(turn);
            line.horizon = self.horizon_at_once.then(|| state.new_xid());
        } else {
            return None;
        }
        state.claimers[n].wrote = Some(line);
        Some(())
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            next_xid: 1,
            under_way: BTreeSet::new(),
            latest: 0,
            line: Line::default(),
            turns: (1..=STANDING).collect(),
            arrivals: vec![Arrival::Outside; self.arrivals],
            claimers: vec![Claimer::default(); CLAIMERS],
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (n, arrival) in state.arrivals.iter().enumerate() {
            match arrival {
                Arrival::Outside if self.looks_before_its_id => actions.push(Action::Look(n, false)),
                Arrival::Outside => actions.push(Action::Begin(n)),
                Arrival::Begun(_) => actions.extend([Action::Look(n, false), Action::Look(n, true)]),
                Arrival::Looked(None, _) => actions.push(Action::Turn(n)),
                Arrival::Looked(Some(_), _) => actions.push(Action::Arrive(n)),
                Arrival::Over => {}
            }
        }
        for (n, claimer) in state.claimers.iter().enumerate() {
            actions.push(Action::Take(n));
            if claimer.xid.is_some() {
                actions.extend([Action::Advance(n), Action::Commit(n), Action::Abort(n)]);
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Begin(n) => state.arrivals[n] = Arrival::Begun(state.begin()),
            Action::Look(n, head) => {
                let xid = match state.arrivals[n] {
                    Arrival::Begun(xid) => Some(xid),
                    _ => None,
                };
                state.arrivals[n] = Arrival::Looked(xid, self.turn(&state, head));
            }
            Action::Turn(n) => {
                let Arrival::Looked(None, turn) = state.arrivals[n] else { return None };
                state.arrivals[n] = Arrival::Looked(Some(state.begin()), turn);
            }
            Action::Arrive(n) => {
                let Arrival::Looked(Some(xid), turn) = state.arrivals[n] else { return None };
                state.arrivals[n] = Arrival::Over;
                state.end(xid);
                state.turns.push(turn);
                state.turns.sort_unstable();
            }
            Action::Take(n) => {
                let turn = state.free()?;
                if state.claimers[n].xid.is_none() {
                    state.claimers[n].xid = Some(state.begin());
                }
                state.claimers[n].taken.push(turn);
            }
            Action::Advance(n) => self.advance(&mut state, n)?,
            Action::Commit(n) => {
                let Claimer { xid, taken, wrote } = std::mem::take(&mut state.claimers[n]);
                if let Some(own) = wrote.and_then(|line| line.horizon) {
                    state.end(own);
                }
                state.end(xid?);
                state.turns = without(&state.turns, &taken);
                state.line = wrote.unwrap_or(state.line);
            }
            Action::Abort(n) => {
                let claimer = std::mem::take(&mut state.claimers[n]);
                state.end(claimer.xid?);
            }
        }
        state.normalise();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(FOUND, |_, state: &State| {
                state.turns.iter().all(|turn| *turn >= state.line.starts_at)
            }),
            Property::sometimes("the beginning moves twice", |_, state: &State| state.line.starts_at > 1),
            Property::sometimes("a job arrives behind a beginning that has moved", |_, state: &State| {
                state.line.starts_at > 0 && state.arrivals.contains(&Arrival::Over)
            }),
        ]
    }
}

const FOUND: &str = "no job stands before the beginning of its line";

#[test]
fn no_interleaving_leaves_a_job_before_the_beginning_of_its_line() {
    let checker = Protocol { arrivals: 1, ..Protocol::default() }.checker().threads(2).spawn_bfs().join();
    assert!(checker.unique_state_count() > 1_000, "{} states are no proof", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn each_guard_of_the_line_is_needed() {
    let one = Protocol { arrivals: 1, ..Protocol::default() };
    let broken = [
        Protocol { without_horizon: true, ..one.clone() },
        Protocol { horizon_of_snapshot: true, ..one.clone() },
        Protocol { horizon_at_once: true, ..one.clone() },
        Protocol { two_steps_at_once: true, ..one.clone() },
        Protocol { blind_to_next: true, ..one.clone() },
        Protocol { looks_before_its_id: true, ..one.clone() },
    ];
    for protocol in broken {
        let checker = protocol.clone().checker().spawn_bfs().join();
        assert!(checker.discovery(FOUND).is_some(), "nothing is lost by {protocol:?}");
    }
}
