//! The limit of a group in a model checker: processes that claim, finish, give back and cancel jobs of one group, step by step as
//! PostgreSQL takes them, with row locks, the group's lock, and transactions that others see only once they are committed.
//!
//! The model follows `sql/functions/{groups,claim_jobs,end_job,requeue,cancel_job}.sql`. Each rule is taken out in turn, to see
//! that the checker finds what it is for.

mod state;

use stateright::{Checker, Model, Property};

use self::state::{At, End, Job, PROCESSES, State};

/// The protocol, and what is taken out of it.
#[derive(Clone, Debug, Default)]
struct Protocol {
    jobs: usize,
    limit: usize,
    /// A claim counts and starts without the group's lock.
    claims_without_lock: bool,
    /// A claim counts before it waits for the group's lock.
    counts_before_lock: bool,
    /// A claim that finds the group full parks it without the group's lock.
    parks_without_lock: bool,
    /// Parking waits for rows that others are looking at.
    parking_waits: bool,
    /// A finished, a given back, or a cancelled job hands its place on to nobody.
    keeps_its_place: Option<End>,
    /// Who cancels a parked job takes the group's lock too.
    parked_take_lock: bool,
    /// Handing on is tried once: not again when the chosen one is found cancelled.
    hands_on_once: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Claim(usize, usize),
    End(usize, usize, End),
    Step(usize),
    /// The connection breaks.
    Abort(usize),
}

impl Protocol {
    /// The next step of a transaction. None: it waits for a lock.
    fn step(&self, state: &mut State, me: usize) -> Option<()> {
        let has_room = |state: &State| state.seen_to_be(me, Job::Running).count() < self.limit;
        state.at[me] = match state.at[me] {
            At::Idle => return None,
            At::Chosen(job) if self.counts_before_lock => At::CountedEarly(job, has_room(state)),
            At::Chosen(job) => {
                if !self.claims_without_lock && (has_room(state) || !self.parks_without_lock) {
                    state.lock_group(me)?;
                }
                At::Counted(job, has_room(state))
            }
            At::CountedEarly(job, room) => {
                state.lock_group(me)?;
                At::Counted(job, room)
            }
            At::Counted(job, true) => {
                state.written[me].push((job, Job::Running));
                At::Committing
            }
            At::Counted(_, false) => {
                let in_line: Vec<usize> = state.seen_to_be(me, Job::InLine).collect();
                if self.parking_waits && in_line.iter().any(|job| state.held_by_another(me, *job)) {
                    return None;
                }
                let free = in_line.into_iter().filter(|job| !state.held_by_another(me, *job));
                let parks: Vec<_> = free.map(|job| (job, Job::Parked)).collect();
                state.written[me].extend(parks);
                At::Committing
            }
            At::Ended(false) => At::Committing,
            At::Ended(true) => {
                state.lock_group(me)?;
                At::HandingOn
            }
            At::HandingOn if has_room(state) => {
                let chosen = state.seen_to_be(me, Job::Parked).next();
                chosen.map_or(At::Committing, At::Handing)
            }
            At::HandingOn => At::Committing,
            At::Handing(job) if state.held_by_another(me, job) => return None,
            At::Handing(job) if state.seen(me, job) == Job::Parked => {
                state.written[me].push((job, Job::InLine));
                At::Committing
            }
            At::Handing(_) if self.hands_on_once => At::Committing,
            At::Handing(_) => At::HandingOn,
            At::Committing => {
                for (job, written) in std::mem::take(&mut state.written[me]) {
                    state.jobs[job] = written;
                }
                state.close(me);
                At::Idle
            }
        };
        Some(())
    }

    fn end(&self, state: &mut State, me: usize, job: usize, end: End) {
        let parked = state.jobs[job] == Job::Parked;
        let becomes = if end == End::GiveBack { Job::InLine } else { Job::Done };
        state.written[me].push((job, becomes));
        state.at[me] = At::Ended(self.keeps_its_place != Some(end) && (!parked || self.parked_take_lock));
    }

    /// Whether every transaction that is under way waits for another one.
    fn is_stuck(&self, state: &State) -> bool {
        let mut under_way = (0..PROCESSES).filter(|process| state.at[*process] != At::Idle).peekable();
        under_way.peek().is_some()
            && under_way.all(|process| self.step(&mut state.clone(), process).is_none())
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            jobs: vec![Job::InLine; self.jobs],
            at: [At::Idle; PROCESSES],
            written: Default::default(),
            group_lock: None,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (process, at) in state.at.iter().enumerate() {
            if *at != At::Idle {
                actions.extend([Action::Step(process), Action::Abort(process)]);
                continue;
            }
            // A claim skips the rows that others hold. An end waits for the row, which is the same as beginning later.
            for job in (0..self.jobs).filter(|job| !state.held_by_another(process, *job)) {
                match state.jobs[job] {
                    Job::InLine => {
                        actions.extend([Action::Claim(process, job), Action::End(process, job, End::Cancel)]);
                    }
                    Job::Parked => actions.push(Action::End(process, job, End::Cancel)),
                    Job::Running => actions.extend([
                        Action::End(process, job, End::Finish),
                        Action::End(process, job, End::GiveBack),
                    ]),
                    Job::Done => {}
                }
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Claim(process, job) => state.at[process] = At::Chosen(job),
            Action::End(process, job, end) => self.end(&mut state, process, job, end),
            Action::Step(process) => self.step(&mut state, process)?,
            Action::Abort(process) => state.close(process),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(LIMIT, |protocol: &Protocol, state: &State| state.running() <= protocol.limit),
            Property::always(NOT_FORGOTTEN, |protocol: &Protocol, state: &State| {
                let quiet = state.at.iter().all(|at| *at == At::Idle) && !state.jobs.contains(&Job::InLine);
                !(quiet && state.jobs.contains(&Job::Parked) && state.running() < protocol.limit)
            }),
            Property::always(NO_DEADLOCK, |protocol: &Protocol, state: &State| !protocol.is_stuck(state)),
            Property::sometimes(
                "the group is full and others are parked",
                |protocol: &Protocol, state: &State| {
                    state.running() == protocol.limit && state.jobs.contains(&Job::Parked)
                },
            ),
            Property::sometimes("every job is done", |_, state: &State| {
                state.jobs.iter().all(|job| *job == Job::Done)
            }),
        ]
    }
}

const LIMIT: &str = "no more run than the limit says";
const NOT_FORGOTTEN: &str = "no job stays parked while its group has room and nobody is about to hand it on";
const NO_DEADLOCK: &str = "no transactions wait for one another";

#[test]
fn no_interleaving_exceeds_a_groups_limit_or_forgets_a_parked_job() {
    for limit in [1, 2] {
        let checker =
            Protocol { jobs: 4, limit, ..Protocol::default() }.checker().threads(2).spawn_bfs().join();
        assert!(checker.unique_state_count() > 1_000, "{} states are no proof", checker.unique_state_count());
        checker.assert_properties();
    }
}

#[test]
fn each_guard_of_the_group_is_needed() {
    let sound = Protocol { jobs: 3, limit: 1, ..Protocol::default() };
    let without = |end| Protocol { keeps_its_place: Some(end), ..sound.clone() };
    let broken = [
        (Protocol { claims_without_lock: true, ..sound.clone() }, LIMIT),
        (Protocol { counts_before_lock: true, ..sound.clone() }, LIMIT),
        (Protocol { parks_without_lock: true, ..sound.clone() }, NOT_FORGOTTEN),
        (without(End::Finish), NOT_FORGOTTEN),
        (without(End::GiveBack), NOT_FORGOTTEN),
        (without(End::Cancel), NOT_FORGOTTEN),
        (Protocol { hands_on_once: true, ..sound.clone() }, NOT_FORGOTTEN),
        (Protocol { parking_waits: true, ..sound.clone() }, NO_DEADLOCK),
        (Protocol { parked_take_lock: true, ..sound.clone() }, NO_DEADLOCK),
    ];
    for (protocol, property) in broken {
        let checker = protocol.clone().checker().spawn_bfs().join();
        assert!(checker.discovery(property).is_some(), "{protocol:?} breaks nothing");
    }
}
