//! Whether a case is solved. Pure: it sees what was delivered, and not what anybody says of it.

use domain::{Finding, JobState, Outcome, Severity};

use crate::{Case, Expected, Place};

/// What came of a case's job.
#[derive(Clone, Copy, Debug)]
pub struct Delivered<'a> {
    /// How the job ended.
    pub state: JobState,
    /// What the clean checkout said.
    pub outcome: Option<Outcome>,
    /// The report, of a task that only reads.
    pub report: Option<&'a str>,
    /// The findings of a review.
    pub findings: &'a [Finding],
}

/// The judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is missing or too much, each in a sentence. Empty: the case is solved.
    pub faults: Vec<String>,
}

impl Verdict {
    /// Whether the case is solved.
    pub fn is_solved(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Judges what came of `case`.
pub fn judge(case: &Case, delivered: &Delivered<'_>) -> Verdict {
    let mut faults = match &case.expected {
        Expected::Tests if delivered.outcome == Some(Outcome::Verified) => Vec::new(),
        Expected::Tests => vec!["the test command did not pass in a clean checkout".to_owned()],
        Expected::Findings { wanted, at_most } => {
            let missing = wanted.iter().filter(|wanted| {
                !delivered.findings.iter().any(|finding| {
                    finding.severity <= wanted.severity
                        && finding.anchored
                        && stands_at(finding, &wanted.place())
                })
            });
            let mut faults: Vec<String> = missing
                .map(|wanted| {
                    format!("no finding that is {} or worse at {}", wanted.severity, shown(&wanted.place()))
                })
                .collect();
            let found = delivered.findings.iter().filter(|finding| finding.severity < Severity::Note).count();
            if let Some(most) = at_most.filter(|&most| found > most) {
                faults.push(format!("{found} findings where {most} are enough"));
            }
            faults
        }
        Expected::Places(places) => {
            let report = delivered.report.unwrap_or_default();
            let missing = places.iter().filter(|place| !names(report, place));
            missing.map(|place| format!("the report does not name {}", shown(place))).collect()
        }
    };
    if delivered.state != JobState::Succeeded && faults.is_empty() {
        faults.push(format!("the job is {}", delivered.state));
    }
    Verdict { faults }
}

fn stands_at(finding: &Finding, place: &Place) -> bool {
    place.meets(&finding.path, finding.start_line.unwrap_or(finding.line), finding.line)
}

fn shown(place: &Place) -> String {
    match place.to_line {
        Some(last) => format!("{}:{}-{last}", place.path, place.line),
        None => format!("{}:{}", place.path, place.line),
    }
}

/// Whether `report` names the place: its path, a colon, and a line or a range of lines of it.
fn names(report: &str, place: &Place) -> bool {
    let mark = format!("{}:", place.path);
    report.match_indices(&mark).any(|(at, _)| {
        // In `lib/src/a.rs:1` nobody names `src/a.rs`; `./src/a.rs` is the same file.
        let before = report[..at].strip_suffix("./").unwrap_or(&report[..at]);
        let is_whole = !before.ends_with(|c: char| c.is_alphanumeric() || "/_-.".contains(c));
        let (from, rest) = number(&report[at + mark.len()..]);
        let to = rest.strip_prefix(['-', '–']).and_then(|rest| number(rest).0);
        is_whole && from.is_some_and(|from| place.meets(&place.path, from, to.unwrap_or(from)))
    })
}

fn number(text: &str) -> (Option<u32>, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].parse().ok(), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: u32, to_line: Option<u32>) -> Place {
        Place { path: "src/a.rs".into(), line, to_line }
    }

    #[test]
    fn a_place_is_named_by_its_whole_path_and_a_line_of_it() {
        for report in
            ["src/a.rs:7", "(src/a.rs:7)", "`./src/a.rs:7-9`", "see src/a.rs:5–7.", "src/a.rs:70, src/a.rs:7"]
        {
            assert!(names(report, &place(7, None)), "{report}");
        }
        for report in ["src/a.rs", "src/a.rs:70", "lib/src/a.rs:7", "src/a.rs:", "src/a.rs: 7", "xsrc/a.rs:7"]
        {
            assert!(!names(report, &place(7, None)), "{report}");
        }
        assert!(names("src/a.rs:8", &place(7, Some(9))));
    }

    fn case(expected: Expected) -> Case {
        let written = br#"{"name": "x", "about": "", "language": "", "task": "bug_fix", "prompt": "p", "test_command": "true"}"#;
        Case { expected, ..Case::parse("x", written).unwrap() }
    }

    fn finding(line: u32, severity: Severity, anchored: bool) -> Finding {
        let (path, title, body) = ("src/a.rs".to_owned(), String::new(), String::new());
        Finding { path, line, start_line: None, severity, title, body, suggestion: None, anchored }
    }

    fn of(case: &Case, findings: &[Finding], outcome: Outcome) -> Vec<String> {
        let state = JobState::Succeeded;
        judge(case, &Delivered { state, outcome: Some(outcome), report: None, findings }).faults
    }

    #[test]
    fn a_review_needs_its_findings_at_their_places_and_bad_enough() {
        let wanted =
            crate::Wanted { path: "src/a.rs".into(), line: 7, to_line: None, severity: Severity::Major };
        let case = case(Expected::Findings { wanted: vec![wanted], at_most: Some(1) });
        let missing = vec!["no finding that is major or worse at src/a.rs:7".to_owned()];
        let judged = |findings: &[Finding]| of(&case, findings, Outcome::Unverified);
        assert!(judged(&[finding(7, Severity::Critical, true)]).is_empty());
        assert!(judged(&[finding(7, Severity::Major, true), finding(1, Severity::Note, true)]).is_empty());
        assert_eq!(judged(&[finding(7, Severity::Minor, true)]), missing);
        assert_eq!(judged(&[finding(7, Severity::Major, false)]), missing);
        assert_eq!(judged(&[finding(8, Severity::Major, true)]), missing);
        let many = [finding(7, Severity::Major, true), finding(1, Severity::Minor, true)];
        assert_eq!(judged(&many), ["2 findings where 1 are enough"]);
    }

    #[test]
    fn a_repair_is_what_the_clean_checkout_says() {
        let case = case(Expected::Tests);
        assert!(of(&case, &[], Outcome::Verified).is_empty());
        assert_eq!(
            of(&case, &[], Outcome::Unverified),
            ["the test command did not pass in a clean checkout"]
        );
    }
}
