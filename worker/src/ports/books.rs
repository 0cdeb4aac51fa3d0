//! The agent's journal, kept in the database.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use agent::{Billing, Halt, Reply, Spent};
use async_trait::async_trait;
use domain::{Event, Money, Usage};
use store::{Basis, Journal, Settlement, StoreError};

use crate::lease::write_until;
use crate::stop::Stop;

/// Why the ledger did not take the last reservation of an attempt.
pub enum Refusal {
    /// Waiting does not help: this is why.
    Never(String),
    /// A budget has no room now for a call that could cost so much.
    Now { worst_case: Money },
}

/// One attempt's journal and ledger.
pub struct Books<'a> {
    journal: &'a Journal,
    stop: &'a Stop,
    /// The model that was asked last, for calls that nobody answered.
    asked: Mutex<String>,
    /// Ends the run, which does not know of budgets.
    pub refusal: OnceLock<Refusal>,
}

impl<'a> Books<'a> {
    pub fn new(journal: &'a Journal, stop: &'a Stop) -> Books<'a> {
        Books { journal, stop, asked: Mutex::default(), refusal: OnceLock::new() }
    }

    fn asked(&self) -> MutexGuard<'_, String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, error: StoreError, worst_case: Money) -> Halt {
        let (refusal, halt) = match error {
            StoreError::CostCap(why) => (Refusal::Never(why), Halt::Budget),
            // As when the worker must go: between two steps nothing that was paid for is thrown away.
            StoreError::BudgetSpent(_) => (Refusal::Now { worst_case }, Halt::Interrupted),
            other => return halt(other),
        };
        _ = self.refusal.set(refusal);
        halt
    }
}

#[async_trait]
impl agent::Journal for Books<'_> {
    async fn reserve(&self, step: u32, model: &str, worst_case: Spent) -> Result<(), Halt> {
        // Between two steps nothing that was paid for is thrown away.
        if self.stop.is_draining() {
            return Err(Halt::Interrupted);
        }
        let Spent { cost, tokens, .. } = worst_case;
        *self.asked() = model.to_owned();
        self.journal
            .reserve(step, model, (cost, tokens), write_until())
            .await
            .map_err(|error| self.refused(error, cost))
    }

    async fn settle(&self, step: u32, reply: &Reply, events: &[Event]) -> Result<(), Halt> {
        let settlement = Settlement {
            basis: Basis::Reported,
            model: &reply.model,
            cost: reply.cost,
            usage: reply.usage,
            request_id: reply.request_id.as_deref(),
            raw_usage: Some(&reply.raw_usage),
        };
        self.journal.settle(step, &settlement, events, write_until()).await.map_err(halt)
    }

    async fn abandon(&self, step: u32, billing: Billing) -> Result<(), Halt> {
        let asked = self.asked().clone();
        let settlement = Settlement {
            basis: match billing {
                Billing::Unbilled => Basis::Unbilled,
                Billing::Unknown => Basis::WorstCase,
            },
            model: &asked,
            cost: Money::ZERO,
            usage: Usage::default(),
            request_id: None,
            raw_usage: None,
        };
        self.journal.settle(step, &settlement, &[], write_until()).await.map_err(halt)
    }

    async fn append(&self, events: &[Event]) -> Result<(), Halt> {
        self.journal.append(events, write_until()).await.map_err(halt)
    }
}

fn halt(error: StoreError) -> Halt {
    match error {
        StoreError::StaleLease(_) => Halt::LeaseLost,
        other => Halt::Journal { passing: other.is_transient(), message: service::exit::one_line(&other) },
    }
}
