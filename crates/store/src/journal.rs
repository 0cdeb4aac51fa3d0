//! A job's journal: written by the attempt that holds it, read by everybody.

use std::sync::Arc;

use domain::{Event, EventRecord, ExitReason, JobState, Outcome};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::database::Param;
use crate::row::{cell, one, read};
use crate::{Claim, Database, StoreError};

/// The writing end of one attempt's journal. Writes go one after the other; one whose acknowledgement was lost is said again
/// and not written twice, because it names the last seq that this end knows of.
pub struct Journal {
    database: Arc<Database>,
    claim: Claim,
    last_seq: Mutex<i64>,
}

impl Journal {
    /// The journal of a claim whose own event has `claimed_seq`.
    pub fn new(database: Arc<Database>, claim: Claim, claimed_seq: i64) -> Journal {
        Journal { database, claim, last_seq: Mutex::new(claimed_seq) }
    }

    /// Appends events; tries until `deadline` while the database is out of reach.
    pub async fn append(&self, events: &[Event], deadline: Instant) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let (kinds, data) = kinds_and_data(events)?;
        self.write(deadline, |after_seq| {
            let (kinds, data) = (&kinds, &data);
            async move {
                let [job, attempt, worker] = self.claim.params();
                let after: Param<'_> = (&after_seq, Type::INT8);
                let params =
                    [job, attempt, worker, after, (kinds, Type::TEXT_ARRAY), (data, Type::JSONB_ARRAY)];
                self.database.query(include_str!("../queries/append_events.sql"), &params).await
            }
        })
        .await
    }

    /// Ends the job with its result: `events` (what was verified and delivered) and the final state in one transaction.
    /// Gives the state that the job has.
    pub async fn finish(
        &self,
        (state, outcome, reason): (JobState, Outcome, ExitReason),
        error: Option<&str>,
        events: &[Event],
        deadline: Instant,
    ) -> Result<JobState, StoreError> {
        let (kinds, data) = kinds_and_data(events)?;
        let (state, outcome, reason) = (state.as_str(), outcome.as_str(), reason.as_str());
        let last_seq = self.last_seq.lock().await;
        let finish = || async {
            let [job, attempt, worker] = self.claim.params();
            let params = [
                job,
                attempt,
                worker,
                (&*last_seq, Type::INT8),
                (&state, Type::TEXT),
                (&outcome, Type::TEXT),
                (&reason, Type::TEXT),
                (&error, Type::TEXT),
                (&kinds, Type::TEXT_ARRAY),
                (&data, Type::JSONB_ARRAY),
            ];
            self.database.query(include_str!("../queries/finish_job.sql"), &params).await
        };
        let rows = self.database.insist(deadline, finish).await?;
        read(one(&rows)?.get(0))
    }

    /// A write that gives the journal's last seq. One at a time, each said again until its acknowledgement came.
    pub(crate) async fn write<F>(
        &self,
        deadline: Instant,
        statement: impl Fn(i64) -> F,
    ) -> Result<(), StoreError>
    where
        F: Future<Output = Result<Vec<Row>, StoreError>>,
    {
        let mut last_seq = self.last_seq.lock().await;
        let after = *last_seq;
        let rows = self.database.insist(deadline, || statement(after)).await?;
        *last_seq = one(&rows)?.get(0);
        Ok(())
    }

    pub(crate) fn claim(&self) -> &Claim {
        &self.claim
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }
}

impl Database {
    /// A job's events after `after_seq`, in order, at most `most`.
    pub async fn events(
        &self,
        job: domain::JobId,
        after_seq: i64,
        most: i32,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let params: [Param<'_>; 3] = [(&job.0, Type::UUID), (&after_seq, Type::INT8), (&most, Type::INT4)];
        let rows = self.query(include_str!("../queries/read_events.sql"), &params).await?;
        rows.iter()
            .map(|row| {
                let (kind, data): (String, Value) = (cell(row, "kind")?, cell(row, "data")?);
                let event = serde_json::json!({"kind": kind, "data": data});
                Ok(EventRecord {
                    seq: cell(row, "seq")?,
                    attempt: domain::Attempt(cell(row, "attempt")?),
                    at: cell(row, "at")?,
                    event: serde_json::from_value(event).map_err(|error| {
                        StoreError::Unreadable(format!("event {kind} of job {job}: {error}"))
                    })?,
                })
            })
            .collect()
    }
}

/// Events as the two parallel arrays that SQL takes.
pub(crate) fn kinds_and_data(events: &[Event]) -> Result<(Vec<String>, Vec<Value>), StoreError> {
    let mut kinds = Vec::with_capacity(events.len());
    let mut data = Vec::with_capacity(events.len());
    for event in events {
        let mut json = serde_json::to_value(event).map_err(|error| StoreError::Invalid(error.to_string()))?;
        kinds.push(json["kind"].as_str().unwrap_or_default().to_owned());
        data.push(json["data"].take());
    }
    Ok((kinds, data))
}
