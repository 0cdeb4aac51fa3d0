//! What a way of scaling would mean for a trace of jobs: how long they wait, how many workers are alive, and what that costs.
//!
//! A simulation of discrete events: time jumps from one to the next, and the ways of scaling (see [`Policy`]) meet the very same
//! jobs. Ours is [`crate::decide`] itself. Nothing here reads a clock or a source of chance: the same trace and seed give the same
//! report on every machine.
//!
//! What may surprise: one simulation is one fleet, of one mode. Jobs never fail, and nobody waits for a group, a budget or another job.

mod agenda;
mod engine;
mod fleet;
mod policy;
mod price;
mod report;
mod series;
mod setup;
mod spread;
mod trace;
mod watch;

pub use engine::simulate;
pub use policy::Policy;
pub use price::{FARGATE_ARM, HOURS_A_MONTH, Price, TaskSize};
pub use report::{PROMISE, Report, Waits};
pub use series::Series;
pub use setup::{Setup, SetupError};
pub use spread::{Spread, SpreadError};
pub use trace::{Job, MOST_JOBS, Trace, Workload, WorkloadError};
pub use watch::{Happening, View, Watch};

#[cfg(test)]
mod tests;
