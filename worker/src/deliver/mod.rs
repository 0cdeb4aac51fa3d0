//! The worker decides what is done, not the model: a patch is held against a clean checkout, a report against the code, a review
//! against what it looked at.

mod patch;
mod publish;
mod report;
mod review;
mod verify;

use std::time::Duration;

use agent::Conclusion;
use domain::{Event, ExitReason, Outcome, Task};
use store::Claimed;
use tokio::time::{Instant, timeout_at};

pub use publish::Target;

use crate::end::End;
use crate::ports::Place;
use crate::scratch::Scratch;
use crate::worker::Worker;

/// The part of a job's time that is kept back for all this: a quarter, at most 30 s.
pub fn reserve(time: Duration) -> Duration {
    (time / 4).min(Duration::from_secs(30))
}

/// The part of that which is for publishing alone: a third, at most 5 s.
fn publishing(reserve: Duration) -> Duration {
    (reserve / 3).min(Duration::from_secs(5))
}

/// How much longer a command that is killed at the deadline may take to be gone.
const GRACE: Duration = Duration::from_millis(150);

/// What a delivery needs to know.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    pub worker: &'a Worker,
    pub claimed: &'a Claimed,
    pub place: &'a Place,
    pub scratch: &'a Scratch,
    /// Where the result goes.
    pub target: &'a Target,
    /// What was kept back of the job's time.
    pub reserve: Duration,
    /// When the job's time is up.
    pub deadline: Instant,
}

/// Holds the result against the code and brings it where the job wants it; gives the job's end with the events that tell of it.
/// When the time is up before it is checked, the job ends with what the journal has, and nothing vouches for it.
pub async fn deliver(delivery: Delivery<'_>, conclusion: Conclusion) -> Result<End, End> {
    let unchecked = conclusion.diff.clone();
    let effort = publish::Effort {
        steps: conclusion.steps,
        usage: conclusion.usage,
        cost: conclusion.cost,
        model: conclusion.model.clone().unwrap_or_default(),
    };
    // What is to be published needs its time, too.
    let kept = if delivery.target.is_elsewhere() { publishing(delivery.reserve) } else { Duration::ZERO };
    let checked = Delivery { deadline: delivery.deadline - kept, ..delivery };
    let end = match timeout_at(checked.deadline + GRACE, in_time(checked, conclusion)).await {
        Ok(end) => end?,
        Err(_) => too_late(unchecked, delivery.claimed.job.test_command.is_some()),
    };
    publish::publish(delivery, &effort, end).await
}

async fn in_time(delivery: Delivery<'_>, conclusion: Conclusion) -> Result<End, End> {
    match delivery.claimed.job.task {
        Task::Review => Ok(review::deliver(delivery, conclusion)),
        task if task.is_read_only() => report::deliver(delivery, conclusion).await,
        _ => patch::deliver(delivery, conclusion).await,
    }
}

fn too_late(diff: Option<String>, has_test: bool) -> End {
    let summary = "the time was up before it could be checked; this is what was there".to_owned();
    let outcome = match diff {
        Some(_) if has_test => Outcome::Failed,
        Some(_) => Outcome::Unverified,
        None => Outcome::None,
    };
    let events = diff
        .map(|diff| Event::Delivered { diff: Some(diff), report: None, summary, findings: Vec::new() })
        .into_iter()
        .collect();
    let error = "the job's time was up before its result was checked: raise its time limit, or ask for less";
    End::Done { outcome, reason: ExitReason::TimeLimit, error: Some(error.to_owned()), events }
}
