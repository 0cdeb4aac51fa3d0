//! The ledger: what a model call could cost is set aside before it, what it did cost is written after it.

use domain::{Money, Usage};
use serde_json::Value;
use tokio_postgres::types::Type;

use crate::{Claim, Database, StoreError};

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

impl Database {
    /// Reserves the worst case of call `call` (1 for the job's first). May be said again after a lost answer.
    /// [`StoreError::CostCap`] when the job's own cap has no room for it.
    pub async fn reserve(
        &self,
        claim: &Claim,
        call: u32,
        model: &str,
        worst_case: Money,
    ) -> Result<(), StoreError> {
        let [job, attempt, worker] = claim.params();
        let call = signed(call.into())? as i32;
        let params =
            [job, attempt, worker, (&call, Type::INT4), (&model, Type::TEXT), (&worst_case.0, Type::INT8)];
        self.query(include_str!("../queries/reserve.sql"), &params).await?;
        Ok(())
    }

    /// Settles a reservation. May be said again after a lost answer.
    pub async fn settle(
        &self,
        claim: &Claim,
        call: u32,
        settlement: &Settlement<'_>,
    ) -> Result<(), StoreError> {
        let [job, attempt, worker] = claim.params();
        let basis = match settlement.basis {
            Basis::Reported => "reported",
            Basis::Unbilled => "unbilled",
            Basis::WorstCase => "worst_case",
        };
        let usage = &settlement.usage;
        let call = signed(call.into())? as i32;
        let counts = [
            signed(usage.uncached)?,
            signed(usage.cache_read)?,
            signed(usage.cache_write_5m)?,
            signed(usage.cache_write_1h)?,
            signed(usage.output)?,
            signed(usage.reasoning)?,
        ];
        let params = [
            job,
            attempt,
            worker,
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
        ];
        self.query(include_str!("../queries/settle.sql"), &params).await?;
        Ok(())
    }
}

/// PostgreSQL has no unsigned integers.
fn signed(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(|_| StoreError::Invalid(format!("{count} is no count of tokens")))
}
