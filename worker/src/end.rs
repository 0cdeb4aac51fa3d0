//! How an attempt can end, and what each end makes of the job. Pure.

use agent::Halt;
use domain::{Event, ExitReason, Failure, Money, Outcome};
use forge::ForgeError;
use store::StoreError;

use crate::kind;

/// The end of an attempt, before it is written down.
#[derive(Debug)]
pub enum End {
    /// There is a result, or the certainty that there is none.
    Done { outcome: Outcome, reason: ExitReason, error: Option<String>, events: Vec<Event> },
    /// Nothing is wrong with the job: somebody else goes on.
    GivenBack { reason: String },
    /// Nothing is wrong with the job either, but a budget has no room for its next call, which could cost so much: it goes on when
    /// there is some.
    OutOfBudget { worst_case: Money },
    /// Something went wrong. Its kind says whether and when another attempt makes sense. `events`: what there is to keep of it all the same.
    Failed { failure: Failure, error: String, events: Vec<Event> },
    /// Somebody else may hold the job: write nothing.
    Lost,
}

impl End {
    fn failed(failure: Failure, error: impl std::error::Error + 'static) -> End {
        End::refused(failure, service::exit::one_line(&error))
    }

    /// Something went wrong and left nothing.
    pub fn refused(failure: Failure, error: String) -> End {
        End::Failed { failure, error, events: Vec::new() }
    }
}

impl From<ForgeError> for End {
    fn from(error: ForgeError) -> End {
        End::failed(kind::of_forge(&error), error)
    }
}

impl From<sandbox::SandboxError> for End {
    fn from(error: sandbox::SandboxError) -> End {
        End::failed(kind::of_sandbox(&error), error)
    }
}

impl From<StoreError> for End {
    /// A database that is away is nobody's fault. What it refuses, or what cannot be read in it, burns an attempt: another
    /// one would meet the same.
    fn from(error: StoreError) -> End {
        match error {
            StoreError::StaleLease(_) => End::Lost,
            error if error.is_transient() => End::GivenBack { reason: service::exit::one_line(&error) },
            error => End::failed(Failure::JournalRefused, error),
        }
    }
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> End {
        End::failed(Failure::WorkspaceFailed, error)
    }
}

impl From<Halt> for End {
    fn from(halt: Halt) -> End {
        match halt {
            Halt::LeaseLost => End::Lost,
            Halt::Cancelled => End::Done {
                outcome: Outcome::None,
                reason: ExitReason::Cancelled,
                error: None,
                events: Vec::new(),
            },
            Halt::Interrupted => End::GivenBack { reason: halt.to_string() },
            Halt::Journal { passing: true, .. } => End::GivenBack { reason: halt.to_string() },
            Halt::Journal { .. } => End::refused(Failure::JournalRefused, halt.to_string()),
            Halt::Budget => End::refused(Failure::BudgetSpent, halt.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_a_database_refuses_burns_an_attempt_and_its_absence_does_not() {
        let unreadable = StoreError::Unreadable("an event of a kind that this program does not know".into());
        assert!(matches!(End::from(unreadable), End::Failed { failure: Failure::JournalRefused, .. }));
        let away = StoreError::TimedOut(Duration::from_secs(10));
        assert!(matches!(End::from(away), End::GivenBack { .. }));
        assert!(matches!(End::from(StoreError::StaleLease(String::new())), End::Lost));
    }
}
