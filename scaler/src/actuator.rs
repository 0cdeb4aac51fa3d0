//! The scaler's hands: something that makes the number of workers what was decided.

use std::collections::HashSet;

use async_trait::async_trait;
use domain::{Mode, WorkerId};

/// What happened to the fleet without being asked for, in words for the log.
pub type Mishap = String;

/// Makes the number of workers what was decided. Setting the same number again heals drift.
#[async_trait]
pub trait Actuator: Send {
    /// Sets the number of workers of `mode`. `busy` are those that hold a job and are never stopped.
    async fn set(&mut self, mode: Mode, target: u32, busy: &HashSet<WorkerId>) -> Vec<Mishap>;

    /// How many workers of `mode` run.
    fn running(&self, mode: Mode) -> u32;

    /// Returns when a worker ended: the numbers may have to be set again.
    async fn changed(&mut self);

    /// The scaler goes. Workers that cannot do without it give their jobs back and go too; others stay. Bounded in time.
    async fn stop(&mut self);
}
