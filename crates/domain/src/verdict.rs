//! What a finished piece of work makes of its job.

use crate::{ExitReason, JobState, Outcome};

/// The state of a job whose work ended with `outcome` because of `reason`.
///
/// Only the clean checkout makes a capped job a success: without a test that passed, half a change is not one. What could not be handed
/// over where it was wanted is none either.
pub fn state_after(outcome: Outcome, reason: ExitReason) -> JobState {
    match (outcome, reason) {
        (_, ExitReason::Cancelled) => JobState::Cancelled,
        (_, ExitReason::DeliveryError) => JobState::Failed,
        (Outcome::Verified, _) => JobState::Succeeded,
        (Outcome::Unverified, ExitReason::Finished) => JobState::Succeeded,
        _ => JobState::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clean_checkout_decides() {
        use ExitReason::*;
        assert_eq!(state_after(Outcome::Verified, TokenCap), JobState::Succeeded);
        assert_eq!(state_after(Outcome::Unverified, Finished), JobState::Succeeded);
        assert_eq!(state_after(Outcome::Unverified, StepCap), JobState::Failed);
        assert_eq!(state_after(Outcome::Failed, Finished), JobState::Failed);
        assert_eq!(state_after(Outcome::None, Finished), JobState::Failed);
        assert_eq!(state_after(Outcome::Verified, Cancelled), JobState::Cancelled);
        assert_eq!(state_after(Outcome::Verified, DeliveryError), JobState::Failed);
    }
}
