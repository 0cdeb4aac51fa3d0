//! Ending many jobs in one statement, for a worker that does several at a time and for programs that are no agents.

use domain::{Event, ExitReason, JobState, Outcome, WorkerId};
use serde_json::{Value, json};
use tokio_postgres::types::Type;

use crate::database::Param;
use crate::row::{cell, read};
use crate::{Claimed, Database, StoreError};

/// How a claimed job ended.
#[derive(Clone, Debug)]
pub struct Ending<'a> {
    /// What was claimed. Nothing was appended to its journal since, or `finish_many` takes that for an answer that was lost.
    pub claimed: &'a Claimed,
    /// The final state.
    pub state: JobState,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it ended.
    pub reason: ExitReason,
    /// What went wrong, if anything did.
    pub error: Option<String>,
    /// The last events of its journal: what was verified and delivered.
    pub events: Vec<Event>,
}

impl Ending<'_> {
    fn to_json(&self) -> Result<Value, StoreError> {
        let events =
            serde_json::to_value(&self.events).map_err(|error| StoreError::Invalid(error.to_string()))?;
        Ok(json!({
            "job": self.claimed.claim.job, "attempt": self.claimed.claim.attempt, "after_seq": self.claimed.seq,
            "state": self.state.as_str(), "outcome": self.outcome.as_str(), "exit_reason": self.reason.as_str(),
            "error": self.error, "events": events,
        }))
    }
}

impl Database {
    /// Ends jobs that this worker holds, all in one transaction: events and final state of each. Gives each one's state, in order;
    /// None: the worker no longer holds it, and nothing was written. May be said again after a lost answer.
    pub async fn finish_many(
        &self,
        worker: WorkerId,
        endings: &[Ending<'_>],
    ) -> Result<Vec<Option<JobState>>, StoreError> {
        let results = Value::Array(endings.iter().map(Ending::to_json).collect::<Result<_, _>>()?);
        let params: [Param<'_>; 2] = [(&worker.0, Type::UUID), (&results, Type::JSONB)];
        let rows = self.query(include_str!("../queries/finish_jobs.sql"), &params).await?;
        let mut states = std::collections::HashMap::with_capacity(rows.len());
        for row in &rows {
            let state: Option<&str> = cell(row, "state")?;
            states.insert(cell::<uuid::Uuid>(row, "job")?, state.map(read::<JobState>).transpose()?);
        }
        Ok(endings.iter().map(|ending| states.get(&ending.claimed.claim.job.0).copied().flatten()).collect())
    }
}
