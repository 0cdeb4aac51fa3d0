//! The ledger: what a model call could cost is set aside before it, what it did cost is written after it.

use domain::{Event, Money, Usage};
use serde_json::Value;
use tokio::time::Instant;
use tokio_postgres::types::Type;

use crate::journal::kinds_and_data;
use crate::{Journal, StoreError};

/// How a call's cost is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The provider said so.
    Reported,
    /// The provider answered with an error before it worked: nothing.
    Unbilled,
    /// The answer was lost: all that was reserved.
    WorstCase,
}

/// What a call did cost.
#[derive(Clone, Debug)]
pub struct Settlement<'a> {
    /// How that is known. The ledger takes `cost` only when it was reported.
    pub basis: Basis,
    /// The model that answered, as it names itself; the one asked when none did.
    pub model: &'a str,
    /// The price of `usage`.
    pub cost: Money,
    /// In disjoint kinds.
    pub usage: Usage,
    /// The provider's id of the request.
    pub request_id: Option<&'a str>,
    /// The usage as the provider wrote it.
    pub raw_usage: Option<&'a Value>,
}

impl Journal {
    /// Reserves the worst case of call `call` (1 for the job's first): money, and tokens at full rate. Tries until `deadline`
    /// while the database is out of reach. [`StoreError::CostCap`] when the job's own cap, or a whole budget, has no room for it;
    /// [`StoreError::BudgetSpent`] when a budget has none now.
    pub async fn reserve(
        &self,
        call: u32,
        model: &str,
        (cost, tokens): (Money, u64),
        deadline: Instant,
    ) -> Result<(), StoreError> {
        let (call, tokens) = (call_number(call)?, signed(tokens)?);
        let reserve = || async {
            let [job, attempt, worker] = self.claim().params();
            let params = [
                job,
                attempt,
                worker,
                (&call, Type::INT4),
                (&model, Type::TEXT),
                (&cost.0, Type::INT8),
                (&tokens, Type::INT8),
            ];
            self.database().query(include_str!("../queries/reserve.sql"), &params).await
        };
        self.database().insist(deadline, reserve).await.map(drop)
    }

    /// Settles a reservation and appends the events that tell of it, in one transaction.
    pub async fn settle(
        &self,
        call: u32,
        settlement: &Settlement<'_>,
        events: &[Event],
        deadline: Instant,
    ) -> Result<(), StoreError> {
        let basis = match settlement.basis {
            Basis::Reported => "reported",
            Basis::Unbilled => "unbilled",
            Basis::WorstCase => "worst_case",
        };
        let Usage { uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning } =
            settlement.usage;
        let call = call_number(call)?;
        let mut counts = [0_i64; 6];
        for (count, tokens) in
            counts.iter_mut().zip([uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning])
        {
            *count = signed(tokens)?;
        }
        let (kinds, data) = kinds_and_data(events)?;
        self.write(deadline, |after_seq| {
            let (kinds, data) = (&kinds, &data);
            async move {
                let [job, attempt, worker] = self.claim().params();
                let params = [
                    job,
                    attempt,
                    worker,
                    (&after_seq, Type::INT8),
                    (&call, Type::INT4),
                    (&basis, Type::TEXT),
                    (&settlement.model, Type::TEXT),
                    (&settlement.cost.0, Type::INT8),
                    (&counts[0], Type::INT8),
                    (&counts[1], Type::INT8),
                    (&counts[2], Type::INT8),
                    (&counts[3], Type::INT8),
                    (&counts[4], Type::INT8),
                    (&counts[5], Type::INT8),
                    (&settlement.request_id, Type::TEXT),
                    (&settlement.raw_usage, Type::JSONB),
                    (kinds, Type::TEXT_ARRAY),
                    (data, Type::JSONB_ARRAY),
                ];
                self.database().query(include_str!("../queries/settle.sql"), &params).await
            }
        })
        .await
    }
}

/// PostgreSQL has no unsigned integers.
fn signed(tokens: u64) -> Result<i64, StoreError> {
    i64::try_from(tokens).map_err(|_| StoreError::Invalid(format!("{tokens} is no count of tokens")))
}

fn call_number(call: u32) -> Result<i32, StoreError> {
    i32::try_from(call).map_err(|_| StoreError::Invalid(format!("{call} is no number of a call")))
}
