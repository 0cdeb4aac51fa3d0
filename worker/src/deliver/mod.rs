//! The worker decides what is done, not the model: a patch is held against a clean checkout, a report against the code.

mod patch;
mod report;
mod verify;

use std::time::Duration;

use agent::Conclusion;
use store::Claimed;
use tokio::time::Instant;

use crate::end::End;
use crate::ports::Place;
use crate::scratch::Scratch;
use crate::worker::Worker;

/// The part of a job's time that is kept back for all this: a quarter, at most 30 s.
pub fn reserve(time: Duration) -> Duration {
    (time / 4).min(Duration::from_secs(30))
}

/// What a delivery needs to know.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    pub worker: &'a Worker,
    pub claimed: &'a Claimed,
    pub place: &'a Place,
    pub scratch: &'a Scratch,
    /// When the job's time is up.
    pub deadline: Instant,
}

/// Holds the result against the code; gives the job's end with the events that tell of it.
pub async fn deliver(delivery: Delivery<'_>, conclusion: Conclusion) -> Result<End, End> {
    if delivery.claimed.job.task.is_read_only() {
        Ok(report::deliver(conclusion))
    } else {
        patch::deliver(delivery, conclusion).await
    }
}
