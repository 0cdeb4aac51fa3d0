//! What a task that only reads ends in.

use agent::Conclusion;
use domain::{Event, Outcome};

use crate::end::End;

/// The report as it is.
pub fn deliver(conclusion: Conclusion) -> End {
    let outcome = if conclusion.report.is_some() { Outcome::Unverified } else { Outcome::None };
    let delivered = conclusion.report.map(|report| Event::Delivered {
        diff: None,
        report: Some(report),
        summary: String::new(),
        findings: Vec::new(),
    });
    End::Done {
        outcome,
        reason: conclusion.exit_reason,
        error: conclusion.error,
        events: delivered.into_iter().collect(),
    }
}
