//! What an analysis ends in: a report, with each place that it names looked up in the code.

use agent::{Checked, Conclusion, check_references};
use domain::{Event, Failure, Outcome};

use super::Delivery;
use crate::end::End;

/// The report, with a mark behind each place that does not exist at the commit.
pub async fn deliver(delivery: Delivery<'_>, conclusion: Conclusion) -> Result<End, End> {
    let Conclusion { exit_reason: reason, error, report, .. } = conclusion;
    let Some(report) = report else {
        return Ok(End::Done { outcome: Outcome::None, reason, error, events: Vec::new() });
    };
    let report = delivery.worker.redaction.apply(&report).into_owned();
    let checked = check_references(&report, delivery.place)
        .await
        .map_err(|error| End::refused(Failure::WorkspaceFailed, error))?;
    let mut events = Vec::new();
    let mut report = checked.text.clone();
    if let Some(message) = complaint(&checked) {
        report = format!("{}\n\n---\n{message}\n", report.trim_end());
        events.push(Event::Noted { message });
    }
    events.push(Event::Delivered {
        diff: None,
        report: Some(report),
        summary: String::new(),
        findings: Vec::new(),
    });
    Ok(End::Done { outcome: Outcome::Unverified, reason, error, events })
}

/// How many places do not exist. None: all do.
fn complaint(checked: &Checked) -> Option<String> {
    let missing = checked.missing.len();
    (missing > 0).then(|| {
        let verb = if missing == 1 { "does" } else { "do" };
        format!(
            "{missing} of the {} places that the report names {verb} not exist at the commit.",
            checked.places
        )
    })
}
