//! A journal in memory that keeps every rule of the real one and can die at any operation.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use agent::{Billing, Halt, Journal, Reply, Resumed, Spent};
use async_trait::async_trait;
use domain::{Attempt, Event, EventRecord, Money};

/// Where a worker dies: at an operation that never arrived, or right after one that did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Death {
    Before(usize),
    After(usize),
}

/// A call in the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub reserved: Money,
    pub closed: Option<Money>,
}

#[derive(Default)]
struct State {
    events: Vec<EventRecord>,
    ledger: BTreeMap<(i32, u32), Entry>,
    attempt: i32,
    operations: usize,
    death: Option<Death>,
    answer: Option<Halt>,
}

/// The ledger and the events of one job, over all its attempts.
#[derive(Default)]
pub struct Books(Mutex<State>);

impl Books {
    pub fn new() -> Books {
        let books = Books::default();
        books.next_attempt(None);
        books
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Begins another attempt, and gives what is known of the job.
    pub fn next_attempt(&self, death: Option<Death>) -> Resumed {
        let mut state = self.state();
        state.attempt += 1;
        state.operations = 0;
        state.death = death;
        Resumed::from_events(&state.events)
    }

    /// Lets the next reservation be answered with `halt`.
    pub fn answer(&self, halt: Halt) {
        self.state().answer = Some(halt);
    }

    pub fn operations(&self) -> usize {
        self.state().operations
    }

    pub fn events(&self) -> Vec<Event> {
        self.state().events.iter().map(|record| record.event.clone()).collect()
    }

    /// (attempt, step) -> entry.
    pub fn ledger(&self) -> BTreeMap<(i32, u32), Entry> {
        self.state().ledger.clone()
    }

    /// What the tools answered, in the order in which they did.
    pub fn outputs(&self) -> Vec<String> {
        let output = |event| if let Event::ToolRan { output, .. } = event { Some(output) } else { None };
        self.events().into_iter().filter_map(output).collect()
    }

    fn operation(&self, work: impl FnOnce(&mut State)) -> Result<(), Halt> {
        let mut state = self.state();
        state.operations += 1;
        let now = state.operations;
        match state.death {
            Some(Death::Before(at)) if now >= at => return Err(Halt::LeaseLost),
            Some(Death::After(at)) if now > at => return Err(Halt::LeaseLost),
            _ => work(&mut state),
        }
        if state.death == Some(Death::After(now)) { Err(Halt::LeaseLost) } else { Ok(()) }
    }
}

impl State {
    fn close(&mut self, step: u32, cost: impl FnOnce(&Entry) -> Money) {
        let entry = self.ledger.get_mut(&(self.attempt, step)).expect("only reserved calls are closed");
        assert_eq!(entry.closed, None, "no call is closed twice");
        entry.closed = Some(cost(entry));
    }

    fn append(&mut self, events: &[Event]) {
        for event in events {
            let seq = self.events.len() as i64 + 1;
            let (attempt, at) = (Attempt(self.attempt), jiff::Timestamp::UNIX_EPOCH);
            self.events.push(EventRecord { seq, attempt, at, event: event.clone() });
        }
    }
}

#[async_trait]
impl Journal for Books {
    async fn reserve(&self, step: u32, _model: &str, worst_case: Spent) -> Result<(), Halt> {
        if let Some(halt) = self.state().answer.take() {
            return Err(halt);
        }
        self.operation(|state| {
            let double =
                state.ledger.insert((state.attempt, step), Entry { reserved: worst_case.cost, closed: None });
            assert_eq!(double, None, "no call is reserved twice");
        })
    }

    async fn settle(&self, step: u32, reply: &Reply, events: &[Event]) -> Result<(), Halt> {
        self.operation(|state| {
            state.close(step, |_| reply.cost);
            state.append(events);
        })
    }

    async fn abandon(&self, step: u32, billing: Billing) -> Result<(), Halt> {
        self.operation(|state| {
            state.close(step, |entry| if billing == Billing::Unbilled { Money::ZERO } else { entry.reserved })
        })
    }

    async fn append(&self, events: &[Event]) -> Result<(), Halt> {
        self.operation(|state| state.append(events))
    }
}
