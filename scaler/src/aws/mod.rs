//! The scaler's hands on AWS: [`Capacity`] sets how many worker tasks run, [`Metrics`] tells CloudWatch what happened.
//!
//! Nobody here decides anything about the fleet. What may surprise: the SDK's own retries are off, because a change may
//! only be made while this process leads, and only here is that deadline known.

mod brake;
mod capacity;
mod cloudwatch;
mod course;
mod drift;
mod gate;
mod lane;
mod names;
mod next;
mod orders;
mod per_mode;
mod targets;

use std::time::Duration;

use aws_client::Patience;

pub use capacity::{Capacity, Outcome, Report};
pub use cloudwatch::{Datum, MOST_VALUES, Metrics, PutError, Unit};
pub use lane::Habits;
pub use names::{NameError, Names};

/// For one whole call: less than what is left of a leader's time when it is renewed.
pub const OPERATION: Duration = Duration::from_secs(4);

/// How long is waited for what. No change is begun later than `operation` before the permit ends.
pub const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(2),
    read: Duration::from_secs(3),
    credentials: Duration::from_millis(2_500),
    operation: OPERATION,
};

#[cfg(test)]
mod tests;
