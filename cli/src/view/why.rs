//! Why a job stands where it stands, in a sentence.

use domain::{ExitReason, JobState, Outcome};
use store::JobRow;

/// The sentence.
pub fn why(job: &JobRow) -> String {
    match job.state {
        JobState::Queued if job.paused => {
            format!("{} is paused: `codeteam resume {}` lets it go on", job.mode, job.mode)
        }
        JobState::Queued if job.attempt.0 == 0 => "it waits for a worker".into(),
        JobState::Queued => "it waits for its next attempt".into(),
        JobState::Running if job.cancel_requested => "its worker is being told to stop".into(),
        JobState::Running => "a worker is at it".into(),
        _ => ended(job.exit_reason.unwrap_or(ExitReason::Finished), job.outcome.unwrap_or(Outcome::None)),
    }
}

fn ended(reason: ExitReason, outcome: Outcome) -> String {
    let because = match reason {
        ExitReason::Finished => "the model said that it was done",
        ExitReason::StepCap => "it had used up its model calls (--step-cap)",
        ExitReason::TokenCap => "it had used up its tokens (--token-cap)",
        ExitReason::TimeLimit => "it had used up its time (--time-limit-ms)",
        ExitReason::CostCap => "it had used up its money (--cost-cap)",
        ExitReason::Cancelled => return "a person ended it".into(),
        ExitReason::Interrupted => "it was interrupted",
        ExitReason::ModelError => "the model could not be asked",
        ExitReason::SandboxError => "its commands could not be run in a sandbox",
        ExitReason::DeliveryError => "its code could not be fetched, or its result not be handed over",
        ExitReason::LostWorker => "its workers fell silent",
    };
    let so = match outcome {
        Outcome::Verified => ", and the test command passed in a clean checkout",
        Outcome::Unverified => ", and there was no test command to hold its result against",
        Outcome::Failed => ", and its result did not pass the test command in a clean checkout",
        Outcome::None => "",
    };
    format!("{because}{so}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_explained_by_its_reason_and_its_outcome() {
        assert_eq!(
            ended(ExitReason::StepCap, Outcome::Verified),
            "it had used up its model calls (--step-cap), and the test command passed in a clean checkout"
        );
        assert_eq!(ended(ExitReason::ModelError, Outcome::None), "the model could not be asked");
    }
}
