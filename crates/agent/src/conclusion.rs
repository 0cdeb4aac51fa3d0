//! How a run of the loop ended, and what there is to deliver.

use domain::{ExitReason, Failure, Finding, Money, Retry, Usage};

use crate::ports::Halt;

/// The end of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
    /// Why it ended. At a cap, what exists should be delivered all the same.
    pub exit_reason: ExitReason,
    /// A sentence for people. None when the work was finished.
    pub error: Option<String>,
    /// What went wrong, which says whether a later attempt, which goes on from here, may do better. None when nothing did:
    /// the work was finished, reached a cap, or was stopped.
    pub failure: Option<Failure>,
    /// What stopped it from outside. After [`Halt::LeaseLost`] nothing may be written or delivered.
    pub halt: Option<Halt>,
    /// What the model says that it did or found. None unless it handed in the result of a task that changes code, or a review.
    pub summary: Option<String>,
    /// The report. None unless the model handed one in, be it that it was still to mend the places in it when a cap was reached.
    pub report: Option<String>,
    /// The findings of a review, not yet held against its changes. None unless the model handed them in.
    pub findings: Option<Vec<Finding>>,
    /// The model that was asked last. None: none was.
    pub model: Option<String>,
    /// Model calls, lost ones included; like all that follows, over all attempts since the job was last started afresh.
    pub steps: u32,
    /// What the answered ones used.
    pub usage: Usage,
    /// What all of them cost, lost ones at their worst case.
    pub cost: Money,
    /// The last checkpoint. None: nothing was changed. The workspace may hold more than this when a command was
    /// interrupted.
    pub diff: Option<String>,
}

/// Why the wheel stops turning.
#[derive(Debug)]
pub(crate) enum End {
    Finished,
    Cap(ExitReason),
    Halted(Halt),
    Model { error: String, failure: Failure },
    Workspace(String),
}

impl From<Halt> for End {
    fn from(halt: Halt) -> End {
        End::Halted(halt)
    }
}

impl From<ExitReason> for End {
    fn from(cap: ExitReason) -> End {
        End::Cap(cap)
    }
}

impl End {
    /// The model did what it may not.
    pub fn of_model(error: &str) -> End {
        End::Model { error: error.to_owned(), failure: Failure::ModelGaveUp }
    }

    pub fn reason(&self) -> ExitReason {
        match self {
            End::Finished => ExitReason::Finished,
            End::Cap(cap) => *cap,
            End::Halted(Halt::LeaseLost) => ExitReason::LostWorker,
            End::Halted(Halt::Cancelled) => ExitReason::Cancelled,
            End::Halted(Halt::Interrupted | Halt::Journal { .. }) => ExitReason::Interrupted,
            End::Halted(Halt::Budget) => ExitReason::CostCap,
            End::Model { .. } => ExitReason::ModelError,
            End::Workspace(_) => ExitReason::SandboxError,
        }
    }

    pub fn error(&self) -> Option<String> {
        Some(match self {
            End::Finished => return None,
            End::Cap(cap) => cap_words(*cap).to_owned(),
            End::Halted(halt) => halt.to_string(),
            End::Model { error, .. } => error.clone(),
            End::Workspace(message) => format!("the workspace does not work: {message}"),
        })
    }

    pub fn failure(&self) -> Option<Failure> {
        match self {
            End::Finished | End::Cap(_) | End::Halted(_) => None,
            End::Model { failure, .. } => Some(*failure),
            End::Workspace(_) => Some(Failure::WorkspaceFailed),
        }
    }

    /// Whether the model may answer if it is asked again.
    pub fn is_passing(&self) -> bool {
        matches!(self, End::Model { failure, .. } if failure.retry() != Retry::Never)
    }
}

fn cap_words(cap: ExitReason) -> &'static str {
    match cap {
        ExitReason::StepCap => {
            "all model calls that the job may make are made: raise its step cap, or ask for less"
        }
        ExitReason::TokenCap => {
            "too few tokens are left for another model call: raise the job's token cap, or ask for less"
        }
        ExitReason::CostCap => {
            "too little money is left for another model call: raise the job's cost cap, or ask for less"
        }
        _ => "the job's time is up, but for what its delivery needs: raise its time limit, or ask for less",
    }
}
