//! The bounds of a fleet about which nobody said anything: those that the scaler starts with, and what a plan is made with.
//!
//! What may surprise: how long idle workers stay differs between a machine and AWS, and plans are made for AWS.

use std::time::Duration;

/// Mechanics at most.
pub const MECHANIC_MAX: u32 = 10;
/// Geniuses at most.
pub const GENIUS_MAX: u32 = 3;
/// Workers of a mode at least, with or without work.
pub const MIN: u32 = 0;
/// Workers of a mode at least while it has work.
pub const FLOOR_WHILE_BUSY: u32 = 0;
/// Ready jobs for which one more worker is started.
pub const JOBS_PER_WORKER: u32 = 1;
/// How long fewer workers must have been enough before any are stopped, where they are processes of one machine: their next start
/// takes a moment and costs nothing.
pub const COOL_DOWN_OF_PROCESSES: Duration = Duration::from_secs(15);
/// The same where they are tasks on ECS: a task is paid for a minute in any case, and the next one takes half a minute to start.
pub const COOL_DOWN_ON_ECS: Duration = Duration::from_secs(60);
