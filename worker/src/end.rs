//! How an attempt can end, and what each end makes of the job. Pure.

use std::time::Duration;

use agent::Halt;
use domain::{Event, ExitReason, Outcome};
use forge::ForgeError;
use store::StoreError;

/// The end of an attempt, before it is written down.
#[derive(Debug)]
pub enum End {
    /// There is a result, or the certainty that there is none.
    Done { outcome: Outcome, reason: ExitReason, error: Option<String>, events: Vec<Event> },
    /// Nothing is wrong with the job: somebody else goes on.
    GivenBack { reason: String },
    /// Something went wrong. `retry`: another attempt may do better.
    Failed { reason: ExitReason, error: String, retry: bool },
    /// Somebody else may hold the job: write nothing.
    Lost,
}

impl End {
    pub fn failed(reason: ExitReason, error: impl std::error::Error + 'static, retry: bool) -> End {
        End::Failed { reason, error: service::exit::one_line(&error), retry }
    }
}

impl From<ForgeError> for End {
    fn from(error: ForgeError) -> End {
        let reason = match error {
            ForgeError::TimedOut { .. } => ExitReason::TimeLimit,
            _ => ExitReason::DeliveryError,
        };
        let retry = reason != ExitReason::TimeLimit && !error.is_permanent();
        End::failed(reason, error, retry)
    }
}

impl From<sandbox::SandboxError> for End {
    fn from(error: sandbox::SandboxError) -> End {
        End::failed(ExitReason::SandboxError, error, true)
    }
}

impl From<StoreError> for End {
    /// A database that is away is nobody's fault. What it refuses, or what cannot be read in it, burns an attempt: another
    /// one would meet the same.
    fn from(error: StoreError) -> End {
        match error {
            StoreError::StaleLease(_) => End::Lost,
            error if error.is_transient() => End::GivenBack { reason: service::exit::one_line(&error) },
            error => End::failed(ExitReason::SandboxError, error, true),
        }
    }
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> End {
        End::failed(ExitReason::SandboxError, error, true)
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
            Halt::Journal { .. } => {
                End::Failed { reason: ExitReason::SandboxError, error: halt.to_string(), retry: true }
            }
            Halt::Budget => {
                End::Failed { reason: ExitReason::CostCap, error: halt.to_string(), retry: false }
            }
        }
    }
}

/// How long to wait before the next attempt: full jitter under a bound that doubles with each failure, from 2 s to a minute.
/// `random` is from 0 up to 1.
pub fn retry_after(failures: u32, random: f64) -> Duration {
    let bound = Duration::from_secs(2 << failures.min(5)).min(Duration::from_secs(60));
    bound.mul_f64(random.clamp(0.0, 1.0)).max(Duration::from_millis(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_with_the_failures_up_to_a_minute() {
        let bounds: Vec<_> = [0, 1, 4, 30].map(|failures| retry_after(failures, 1.0).as_secs()).into();
        assert_eq!(bounds, [2, 4, 32, 60]);
        assert_eq!(retry_after(3, 0.0), Duration::from_millis(100));
    }

    #[test]
    fn what_a_database_refuses_burns_an_attempt_and_its_absence_does_not() {
        let unreadable = StoreError::Unreadable("an event of a kind that this program does not know".into());
        assert!(matches!(End::from(unreadable), End::Failed { retry: true, .. }));
        let away = StoreError::TimedOut(Duration::from_secs(10));
        assert!(matches!(End::from(away), End::GivenBack { .. }));
        assert!(matches!(End::from(StoreError::StaleLease(String::new())), End::Lost));
    }

    #[test]
    fn a_missing_repository_is_not_tried_again_and_an_unreachable_one_is() {
        let repo = || "https://example.test/r".to_owned();
        assert!(matches!(End::from(ForgeError::NotFound { repo: repo() }), End::Failed { retry: false, .. }));
        let away = ForgeError::Unreachable { repo: repo(), detail: "no route".into() };
        assert!(matches!(
            End::from(away),
            End::Failed { retry: true, reason: ExitReason::DeliveryError, .. }
        ));
    }
}
