//! The fixed vocabularies: each value has one spelling, the same in SQL, JSON, flags and logs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that is none of a vocabulary's. Its message lists the words that are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {given:?}: use one of {known}")]
pub struct UnknownName {
    /// Which vocabulary, in a person's words.
    pub what: &'static str,
    /// What was given.
    pub given: String,
    /// The words that would have been right, comma-separated.
    pub known: String,
}

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident, $what:literal, { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[doc = concat!("`", $text, "`")] #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every value, in the order in which it is declared.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The value's one spelling.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<Self, UnknownName> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| UnknownName {
                    what: $what,
                    given: text.to_owned(),
                    known: Self::ALL.iter().map(|value| value.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

vocabulary!(
    /// Which kind of worker takes the job: a cheap quick one, or a thorough expensive one.
    Mode, "mode", { Mechanic = "mechanic", Genius = "genius" }
);

impl Mode {
    /// The service of its workers, as decisions and metrics name it.
    pub fn service(self) -> &'static str {
        match self {
            Mode::Mechanic => "mechanic-worker",
            Mode::Genius => "genius-worker",
        }
    }
}

vocabulary!(
    /// What the job asks for. It decides the default mode and the form of the result.
    Task, "task", {
        BugFix = "bug_fix",
        Refactor = "refactor",
        /// Read-only; ends in a report.
        Analysis = "analysis",
        /// Read-only; ends in findings.
        Review = "review",
        Feature = "feature",
        ComplexRefactor = "complex_refactor",
        SecurityFix = "security_fix",
        /// Read-only; ends in a report.
        Architecture = "architecture",
    }
);

impl Task {
    /// The mode that a job of this task gets when none is named.
    pub fn default_mode(self) -> Mode {
        match self {
            Task::BugFix | Task::Refactor | Task::Analysis | Task::Review => Mode::Mechanic,
            Task::Feature | Task::ComplexRefactor | Task::SecurityFix | Task::Architecture => Mode::Genius,
        }
    }

    /// Whether the job may change nothing: it ends in text, not in a patch.
    pub fn is_read_only(self) -> bool {
        matches!(self, Task::Analysis | Task::Review | Task::Architecture)
    }
}

vocabulary!(
    /// Where a job stands. `queued -> running -> succeeded | failed | cancelled | dead`; running goes back to
    /// queued on interruption or retry.
    JobState, "state", {
        Queued = "queued",
        Running = "running",
        Succeeded = "succeeded",
        Failed = "failed",
        Cancelled = "cancelled",
        /// Given up after too many errors or worker deaths; waits for a person.
        Dead = "dead",
    }
);

impl JobState {
    /// Whether nothing more happens by itself.
    pub fn is_final(self) -> bool {
        !matches!(self, JobState::Queued | JobState::Running)
    }
}

vocabulary!(
    /// Where a result goes.
    Delivery, "delivery", {
        /// Into the job's record alone, where anybody can take it from.
        Patch = "patch",
        /// Onto a branch `codeteam/job-ID` of the repository, which is pushed.
        Branch = "branch",
        /// Into a draft pull request, or, of a review, into a review of the pull request.
        PullRequest = "pull_request",
    }
);

vocabulary!(
    /// How bad a finding is, the worst first.
    Severity, "severity", {
        /// It loses data, leaks, or breaks what users rely on.
        Critical = "critical",
        /// It goes wrong in a case that will come.
        Major = "major",
        /// It goes wrong rarely, or costs the next reader time.
        Minor = "minor",
        /// A thought.
        Note = "note",
    }
);

vocabulary!(
    /// What the clean checkout said of the result.
    Outcome, "outcome", {
        /// The job's test command passed on a clean checkout with the patch applied.
        Verified = "verified",
        /// There is a result, and no test command to hold it against.
        Unverified = "unverified",
        /// The test command failed, or the patch does not apply.
        Failed = "failed",
        /// There is no result.
        None = "none",
    }
);

vocabulary!(
    /// Why the work ended.
    ExitReason, "exit reason", {
        Finished = "finished",
        StepCap = "step_cap",
        TokenCap = "token_cap",
        TimeLimit = "time_limit",
        CostCap = "cost_cap",
        Cancelled = "cancelled",
        Interrupted = "interrupted",
        ModelError = "model_error",
        SandboxError = "sandbox_error",
        /// Code could not be fetched, or the result could not be handed over.
        DeliveryError = "delivery_error",
        LostWorker = "lost_worker",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_itself() {
        for &task in Task::ALL {
            assert_eq!(task.as_str().parse::<Task>(), Ok(task));
            assert_eq!(serde_json::to_value(task).unwrap(), task.as_str());
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "mechanik".parse::<Mode>().unwrap_err();
        assert_eq!(error.to_string(), "unknown mode \"mechanik\": use one of mechanic, genius");
    }
}
