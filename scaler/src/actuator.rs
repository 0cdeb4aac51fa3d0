//! The scaler's hands: something that makes the number of workers what was decided.

use std::collections::HashSet;

use async_trait::async_trait;
use domain::{Mode, WorkerId};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// What happened to the fleet without being asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mishap {
    /// In words for a person.
    pub mishap: String,
    /// Workers in a row that were of no use, each ended as soon as it was started, while no other was at work. 0: there
    /// are workers.
    pub stillborn: u32,
}

/// Makes the number of workers what was decided. Setting the same number again heals drift.
#[async_trait]
pub trait Actuator: Send {
    /// Sets the number of workers of `mode`. `busy` are those that hold a job and are never stopped.
    async fn set(&mut self, mode: Mode, target: u32, busy: &HashSet<WorkerId>) -> Vec<Mishap>;

    /// How many workers of `mode` run.
    fn running(&self, mode: Mode) -> u32;

    /// The workers that run, by their names in the database.
    fn workers(&self) -> Vec<WorkerId>;

    /// Hears which workers let their leases run out, as of now. Those that stay silent hang: they are ended, and [`set`]
    /// replaces them.
    ///
    /// [`set`]: Actuator::set
    fn end_silent(&mut self, silent: &HashSet<WorkerId>);

    /// Returns when a worker ended: the numbers may have to be set again.
    async fn changed(&mut self);

    /// The scaler goes. Workers that cannot do without it give their jobs back and go too; others stay. Bounded in time;
    /// when `now` is cancelled they do so at once.
    async fn stop(&mut self, now: &CancellationToken);
}
