//! The bounds of one fleet.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::defaults;

/// The bounds of one fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Workers at least, with or without work.
    pub min: u32,
    /// Workers at most.
    pub max: u32,
    /// Workers at least while there is work: 2 in production, 0 in development.
    pub floor_while_busy: u32,
    /// For so long fewer workers must have been enough before any are stopped.
    pub cool_down: Duration,
    /// Ready jobs for which one more worker is started: 1 starts one for each.
    pub jobs_per_worker: u32,
    /// Capacity stays as it is until somebody resumes scaling.
    pub paused: bool,
}

/// Bounds that no fleet can keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the message says it
pub enum LimitsError {
    #[error(
        "at least {min} and at most {max} workers cannot both hold: give a minimum that is not above the maximum"
    )]
    MinOverMax { min: u32, max: u32 },
    #[error(
        "at least {floor} workers while there is work and at most {max} cannot both hold: give a floor that is not above the maximum"
    )]
    FloorOverMax { floor: u32, max: u32 },
    #[error("a worker cannot be started for every 0 jobs: give jobs per worker from 1")]
    NoJobsPerWorker,
}

impl Limits {
    /// A fleet of up to `max` with the [`defaults`] of processes: it sleeps at zero, no floor, a short cool-down, a worker for each job.
    pub fn up_to(max: u32) -> Limits {
        Limits {
            min: defaults::MIN,
            max,
            floor_while_busy: defaults::FLOOR_WHILE_BUSY,
            cool_down: defaults::COOL_DOWN_OF_PROCESSES,
            jobs_per_worker: defaults::JOBS_PER_WORKER,
            paused: false,
        }
    }

    /// Whether they can all hold at once.
    pub fn check(self) -> Result<Limits, LimitsError> {
        let Limits { min, max, floor_while_busy: floor, .. } = self;
        if min > max {
            return Err(LimitsError::MinOverMax { min, max });
        }
        if floor > max {
            return Err(LimitsError::FloorOverMax { floor, max });
        }
        if self.jobs_per_worker == 0 {
            return Err(LimitsError::NoJobsPerWorker);
        }
        Ok(self)
    }
}
