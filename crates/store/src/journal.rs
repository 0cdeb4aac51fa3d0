//! A job's journal: written by the attempt that holds it, read by everybody.

use std::str::FromStr;
use std::sync::Arc;

use domain::{Event, EventRecord};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_postgres::types::Type;

use crate::queue::one;
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
        let mut last_seq = self.last_seq.lock().await;
        let after = *last_seq;
        *last_seq = self
            .database
            .insist(deadline, || async {
                let [job, attempt, worker] = self.claim.params();
                let params = [
                    job,
                    attempt,
                    worker,
                    (&after, Type::INT8),
                    (&kinds, Type::TEXT_ARRAY),
                    (&data, Type::JSONB_ARRAY),
                ];
                let rows = self.database.query(include_str!("../queries/append_events.sql"), &params).await?;
                one(&rows).map(|row| row.get(0))
            })
            .await?;
        Ok(())
    }

    /// The last seq that this end wrote or was told of.
    pub async fn last_seq(&self) -> i64 {
        *self.last_seq.lock().await
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
        let params: [crate::database::Param<'_>; 3] =
            [(&job.0, Type::UUID), (&after_seq, Type::INT8), (&most, Type::INT4)];
        let rows = self.query(include_str!("../queries/read_events.sql"), &params).await?;
        rows.iter()
            .map(|row| {
                let (kind, data): (String, Value) = (row.get("kind"), row.get("data"));
                let event = serde_json::json!({"kind": kind, "data": data});
                Ok(EventRecord {
                    seq: row.get("seq"),
                    attempt: domain::Attempt(row.get("attempt")),
                    at: row.get("at"),
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

/// Reads a word of one of the domain's vocabularies.
pub(crate) fn read<T: FromStr>(text: &str) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| StoreError::Unreadable(error.to_string()))
}
