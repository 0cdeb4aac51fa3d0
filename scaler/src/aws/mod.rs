//! The scaler's hands on AWS: [`Capacity`] sets how many worker tasks run, [`Metrics`] tells CloudWatch what happened.
//!
//! Nobody here decides anything about the fleet. What may surprise: the SDK's own retries are off, because a change may
//! only be made while this process leads, and only here is that deadline known.

mod brake;
mod capacity;
mod client;
mod cloudwatch;
mod codes;
mod course;
mod drift;
mod errors;
mod facts;
mod gate;
mod lane;
mod names;
mod next;
mod orders;
mod per_mode;
mod targets;

pub use capacity::{Capacity, Outcome, Report};
pub use client::{Aws, OPERATION};
pub use cloudwatch::{Datum, MOST_VALUES, Metrics, PutError, Unit};
pub use errors::AwsError;
pub use lane::Habits;
pub use names::{NameError, Names};

#[cfg(test)]
mod tests;
