//! When a job's turn comes: its priority, its time, what it waits for, and what it must not run beside.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::job::{range, text};
use crate::{InvalidJob, JobId, limits};

/// When a job's turn comes. The default: as soon as a worker is free, in the order of arrival, fair across repositories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Queueing {
    /// 0 to 9; the highest goes first.
    pub priority: u8,
    /// Not before this time. None: at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_at: Option<Timestamp>,
    /// Jobs that must have succeeded first, at most [`limits::AFTER`]. When one of them ends otherwise, this job is cancelled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<JobId>,
    /// At most `group_limit` jobs of the same group run at a time; a name such as repository and branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_key: Option<String>,
    /// 1 to 1,000. None: 1. Without a `group_key` it means nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_limit: Option<u16>,
}

impl Queueing {
    pub(crate) fn check(&self) -> Result<(), InvalidJob> {
        range("priority", Some(self.priority.into()), 0, 9)?;
        range("number of jobs to wait for", i128::try_from(self.after.len()).ok(), 0, limits::AFTER as i128)?;
        range("group_limit", self.group_limit.map(i128::from), 1, 1_000)?;
        match &self.group_key {
            Some(key) => text(
                "group key",
                key,
                limits::GROUP_KEY_BYTES,
                "name what must not run at once, or leave it out",
            ),
            None => Ok(()),
        }
    }
}
