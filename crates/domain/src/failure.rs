//! How an attempt can go wrong, and what becomes of its job: the one table of retries.
//!
//! Pure: randomness comes in as a number, and the pause goes out as a duration. How often is not decided here but by the
//! job's `max_attempts`; what the adapters retry within one attempt, and did not mend, has been retried already.

use std::time::Duration;

use crate::ExitReason;

/// The longest pause before another attempt. The database bounds what it is given by it, too.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether and when another attempt makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It would meet the same until a person changes something.
    Never,
    /// After a pause with full jitter, under a bound that starts here and doubles with each failure of the job.
    After {
        /// The bound after the first failure.
        base: Duration,
        /// The bound that it does not grow beyond.
        ceiling: Duration,
    },
}

impl Retry {
    const fn after_s(base: u64, ceiling: u64) -> Retry {
        Retry::After { base: Duration::from_secs(base), ceiling: Duration::from_secs(ceiling) }
    }

    /// The pause before the next attempt; None: there is to be none. `failures` are those before this one, `random` is
    /// from 0 up to 1.
    pub fn pause(self, failures: u32, random: f64) -> Option<Duration> {
        const SHORTEST: Duration = Duration::from_millis(100);
        match self {
            Retry::Never => None,
            Retry::After { base, ceiling } => {
                let bound = base.saturating_mul(1 << failures.min(20)).min(ceiling);
                Some(bound.mul_f64(random.clamp(0.0, 1.0)).max(SHORTEST))
            }
        }
    }
}

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident => $reason:ident, $retry:expr;)+) => {
        /// A kind of error that ends an attempt.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Failure { $($(#[$doc])* $name),+ }

        impl Failure {
            /// Every kind, in the table's order.
            pub const ALL: &'static [Failure] = &[$(Failure::$name),+];

            /// Why a job ended that ends with this.
            pub fn exit_reason(self) -> ExitReason {
                match self { $(Failure::$name => ExitReason::$reason),+ }
            }

            /// Whether and when it is tried again.
            pub fn retry(self) -> Retry {
                match self { $(Failure::$name => $retry),+ }
            }
        }
    };
}

failures! {
    /// The provider turned the call away, throttled it or could not be reached, and did so for as long as it was asked.
    ProviderOverloaded => ModelError, Retry::after_s(15, 15 * 60);
    /// Answers were lost on their way, several in a row; each may have been charged for.
    AnswerLost => ModelError, Retry::after_s(10, 5 * 60);
    /// The provider answered, with nothing that can be read.
    AnswerUnreadable => ModelError, Retry::after_s(2, 60);
    /// The account's money or limit is used up. It does not come back by itself.
    QuotaSpent => ModelError, Retry::Never;
    /// The provider takes neither this request nor another one like it: a key, a permission, a model's name.
    ProviderRefused => ModelError, Retry::Never;
    /// No model can be asked: the worker's key or address, or the job's model, cannot be used.
    ModelUnusable => ModelError, Retry::Never;
    /// The model declined or got stuck. Another attempt would go on from the same conversation.
    ModelGaveUp => ModelError, Retry::Never;
    /// The ledger has no room for another call under the job's cost cap.
    BudgetSpent => CostCap, Retry::Never;

    /// The repository's host cannot be reached.
    RepositoryUnreachable => DeliveryError, Retry::after_s(5, 10 * 60);
    /// The repository, its base or its contents cannot be used as they are.
    RepositoryRefused => DeliveryError, Retry::Never;
    /// The forge wants fewer requests, for longer than the job has time.
    ForgeThrottled => DeliveryError, Retry::after_s(60, 30 * 60);
    /// The forge does not let the team in, or not do what the job asks for: an App that is not installed, suspended, without a
    /// permission or with a revoked key; an archived repository; a pull request that is not there.
    ForgeRefused => DeliveryError, Retry::Never;
    /// git did not end within the job's time, which another attempt would have no more of.
    RepositorySlow => TimeLimit, Retry::Never;
    /// git failed in a way that nobody foresaw.
    GitFailed => DeliveryError, Retry::after_s(2, 60);
    /// git is missing or too old where the worker runs.
    GitUnusable => DeliveryError, Retry::Never;
    /// The disk that checkouts are on is full or broken. Another worker may have another one.
    DiskFailed => DeliveryError, Retry::after_s(15, 15 * 60);
    /// The result cannot be handed over: its patch does not apply, or is too large.
    DeliveryRefused => DeliveryError, Retry::Never;

    /// A sandbox that holds otherwise did not work this time.
    SandboxBroke => SandboxError, Retry::after_s(2, 60);
    /// No sandbox holds where the worker runs. Another worker may stand on another machine.
    SandboxUnusable => SandboxError, Retry::after_s(15, 15 * 60);
    /// The job's command cannot be handed to a shell.
    CommandRefused => SandboxError, Retry::Never;
    /// The job's set-up command failed, which may be the network's fault.
    SetUpFailed => SandboxError, Retry::after_s(15, 15 * 60);
    /// The set-up command did not end within the job's time, which another attempt would have no more of.
    SetUpSlow => TimeLimit, Retry::Never;
    /// The set-up command wants what it may not: a host that is not permitted, or to change what would become part of the patch.
    SetUpRefused => SandboxError, Retry::Never;
    /// The job's folder cannot be made or read.
    WorkspaceFailed => SandboxError, Retry::after_s(15, 15 * 60);
    /// The database refused what must be written, or holds what this program cannot read. A newer worker may do better.
    JournalRefused => SandboxError, Retry::after_s(5, 5 * 60);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(retry: Retry, failures: u32) -> u64 {
        retry.pause(failures, 1.0).unwrap().as_secs()
    }

    #[test]
    fn the_bound_doubles_with_each_failure_up_to_the_ceiling() {
        let retry = Retry::after_s(2, 60);
        let bounds: Vec<_> = [0, 1, 4, 5, 30, u32::MAX].map(|failures| bound(retry, failures)).into();
        assert_eq!(bounds, [2, 4, 32, 60, 60, 60]);
    }

    #[test]
    fn jitter_covers_the_whole_range_but_for_its_very_beginning() {
        let retry = Retry::after_s(10, 60);
        assert_eq!(retry.pause(0, 0.5), Some(Duration::from_secs(5)));
        assert_eq!(retry.pause(9, 0.0), Some(Duration::from_millis(100)));
        assert_eq!(Retry::Never.pause(0, 0.5), None);
    }

    #[test]
    fn every_kind_of_error_says_how_it_is_retried_within_what_the_database_takes() {
        for &failure in Failure::ALL {
            if let Retry::After { base, ceiling } = failure.retry() {
                assert!(Duration::from_secs(1) <= base, "{failure:?} hammers on");
                assert!(base < ceiling && ceiling <= LONGEST_PAUSE, "{failure:?}");
            }
            let reason = failure.exit_reason();
            assert!(!matches!(reason, ExitReason::Finished | ExitReason::Cancelled), "{failure:?}");
        }
    }

    #[test]
    fn what_only_a_person_can_mend_is_never_retried_and_what_passes_by_itself_is() {
        use Failure::*;
        for failure in [QuotaSpent, ProviderRefused, RepositoryRefused, DeliveryRefused, BudgetSpent] {
            assert_eq!(failure.retry(), Retry::Never, "{failure:?}");
        }
        for failure in [ProviderOverloaded, AnswerLost, RepositoryUnreachable, SandboxBroke, DiskFailed] {
            assert_ne!(failure.retry(), Retry::Never, "{failure:?}");
        }
    }
}
