//! The scaler's hands: something that makes the number of workers what was decided.

use std::collections::HashSet;

use async_trait::async_trait;
use domain::{Mode, WorkerId};
use serde::Serialize;
use tokio::time::Instant;
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

/// What the hands have to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A worker ended, or could not be started.
    Mishap(Mishap),
    /// Whoever starts workers has taken this target.
    Called { mode: Mode, target: u32, at: Instant },
    /// Targets cannot be set, and why; None: they can again.
    Trouble(Option<String>),
    /// Somebody else changed what was set; a sentence.
    Drifted { mode: Mode, message: String },
}

/// Makes the number of workers what was decided. Setting the same number again heals drift.
#[async_trait]
pub trait Actuator: Send + Sized {
    /// This scaler decides from now on: what stands is looked up anew. Bounded in time.
    async fn take_over(&mut self);

    /// Sets the number of workers of `mode`, or begins to: [`changed`](Actuator::changed) tells when it is done. `busy` are those
    /// that hold a job and are never stopped.
    async fn set(&mut self, mode: Mode, target: u32, busy: &HashSet<WorkerId>);

    /// How many workers of `mode` stand. None: that is not known, or a change is under way.
    fn standing(&self, mode: Mode) -> Option<u32>;

    /// The workers that are this program's to end, by their names in the database.
    fn workers(&self) -> Vec<WorkerId>;

    /// Hears which of [`workers`](Actuator::workers) hang, as of now. Those that stay silent are ended, and
    /// [`set`](Actuator::set) replaces them.
    fn end_silent(&mut self, silent: &HashSet<WorkerId>);

    /// Returns when something happened: the numbers may have to be set again. May be dropped at any await.
    async fn changed(&mut self);

    /// What there is to tell since this was asked last, in its order.
    fn news(&mut self) -> Vec<News>;

    /// The scaler goes. Workers that cannot do without it give their jobs back and go too; others stay. Bounded in time;
    /// when `now` is cancelled they do so at once.
    async fn stop(self, now: &CancellationToken);
}
