//! What a queued job waits for before it can be claimed.

use domain::JobId;
use serde::Serialize;
use tokio_postgres::Row;

use crate::StoreError;
use crate::row::cell;

/// What a queued job waits for. A job that can be claimed waits for nothing but a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum Waiting {
    /// Its `run_at`, which may have come already: the next claim sees it.
    Time,
    /// Other jobs, all of which have to succeed first.
    Jobs {
        /// Those that have not succeeded yet, by id.
        awaited: Vec<JobId>,
    },
    /// Its group is full.
    Group {
        /// The group's name.
        key: String,
        /// Who runs in it, the longest first.
        running: Vec<JobId>,
    },
    /// A budget is spent.
    Budget,
}

impl Waiting {
    pub(crate) fn of(row: &Row) -> Result<Option<Waiting>, StoreError> {
        let ids =
            |column| cell::<Vec<uuid::Uuid>>(row, column).map(|ids| ids.into_iter().map(JobId).collect());
        Ok(match cell::<Option<&str>>(row, "waits_for")? {
            None => None,
            Some("time") => Some(Waiting::Time),
            Some("jobs") => Some(Waiting::Jobs { awaited: ids("awaited")? }),
            Some("group") => {
                let key = cell::<Option<String>>(row, "group_key")?.unwrap_or_default();
                Some(Waiting::Group { key, running: ids("ahead")? })
            }
            Some("budget") => Some(Waiting::Budget),
            Some(other) => {
                return Err(StoreError::Unreadable(format!(
                    "a job waits for {other}, which is unknown here"
                )));
            }
        })
    }
}
