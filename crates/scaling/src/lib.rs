//! How many workers there should be: one pure function, [`decide`], and what it decides from.
//!
//! The same function drives the tasks on AWS, the processes of one machine and the simulation. It reads no clock: `now` is the time
//! since any moment that its caller chooses, as long as it never goes back.

mod decide;
pub mod defaults;
mod history;
mod limits;
pub mod pace;
pub mod simulation;
mod why;

pub use decide::{Decision, STALE, Seen, decide};
pub use history::{BURST, History, REGAINED};
pub use limits::{Limits, LimitsError};
pub use why::Why;
