//! The fleet that is simulated, and the times that are not the scaler's own to choose.

use std::time::Duration;

use super::Spread;
use crate::{Limits, LimitsError};

/// The fleet that is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// As `decide` knows them. It begins with `min` workers that are up.
    pub limits: Limits,
    /// From the call that asks for a task to the moment at which its worker can claim a job.
    pub start: Spread,
    /// From a job's commit to the moment at which a sleeping scaler has heard of it.
    pub hearing: Duration,
    /// From a decision to the moment at which tasks are asked for, or told to stop.
    pub effect: Duration,
    /// Of the starting times. The nth task of each policy takes equally long.
    pub seed: u64,
}

/// A fleet that would never get its work done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the message says it
pub enum SetupError {
    #[error(transparent)]
    Limits(#[from] LimitsError),
    #[error("a fleet of at most 0 workers does no job: give a maximum from 1")]
    NoWorkers,
    #[error("a fleet whose scaling is paused may never do a job: simulate it unpaused")]
    Paused,
}

impl Setup {
    pub(super) fn check(&self) -> Result<(), SetupError> {
        let limits = self.limits.check()?;
        match limits {
            Limits { max: 0, .. } => Err(SetupError::NoWorkers),
            Limits { paused: true, .. } => Err(SetupError::Paused),
            _ => Ok(()),
        }
    }
}
