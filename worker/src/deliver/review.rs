//! What a review ends in: findings held against the changes that were reviewed, and a page that people read.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::RangeInclusive;

use agent::Conclusion;
use domain::{Event, Finding, Outcome, Severity};

use super::Delivery;
use crate::end::End;

/// Whether these lines belong to what was reviewed.
type Ground<'a> = &'a dyn Fn(&str, &RangeInclusive<u32>) -> bool;

/// The review's findings and its page.
pub fn deliver(delivery: Delivery<'_>, conclusion: Conclusion) -> End {
    let Conclusion { exit_reason: reason, error, findings, summary, .. } = conclusion;
    let Some(findings) = findings else {
        return End::Done { outcome: Outcome::None, reason, error, events: Vec::new() };
    };
    let Delivery { worker, place, .. } = delivery;
    let hide = |text: String| worker.redaction.apply(&text).into_owned();
    let findings = findings
        .into_iter()
        .map(|finding| Finding {
            title: hide(finding.title),
            body: hide(finding.body),
            suggestion: finding.suggestion.map(hide),
            ..finding
        })
        .collect();
    let findings = match &place.changes {
        Some(changes) => settle(findings, &|path, lines| changes.holds(path, lines)),
        None => settle(findings, &|path, lines| place.has_lines(path, lines)),
    };
    let summary = hide(summary.unwrap_or_default());
    let page = page(&summary, &findings, place.changes.is_some());
    let delivered = Event::Delivered { diff: None, report: Some(page), summary, findings };
    End::Done { outcome: Outcome::Unverified, reason, error, events: vec![delivered] }
}

/// The findings as they are delivered: each place checked, duplicates merged, the worst first.
fn settle(findings: Vec<Finding>, ground: Ground<'_>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    for mut finding in findings {
        let lines = finding.start_line.unwrap_or(finding.line)..=finding.line;
        finding.anchored = ground(&finding.path, &lines);
        match merged.iter_mut().find(|other| is_same(other, &finding)) {
            Some(other) => merge(other, finding),
            None => merged.push(finding),
        }
    }
    merged.sort_by(|a, b| (a.severity, &a.path, a.line).cmp(&(b.severity, &b.path, b.line)));
    merged
}

/// The same defect, told twice: at the same line under the same title, or in the same words.
fn is_same(a: &Finding, b: &Finding) -> bool {
    a.path == b.path
        && a.line == b.line
        && (plain(&a.title) == plain(&b.title) || plain(&a.body) == plain(&b.body))
}

/// Letters and digits alone, in lower case.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Keeps the worse severity, the longer explanation, and a suggestion if either has one.
fn merge(kept: &mut Finding, other: Finding) {
    kept.severity = kept.severity.min(other.severity);
    if other.body.len() > kept.body.len() {
        kept.body = other.body;
    }
    if kept.suggestion.is_none() && other.suggestion.is_some() {
        (kept.suggestion, kept.start_line, kept.anchored) =
            (other.suggestion, other.start_line, other.anchored);
    }
}

/// The review as a page in Markdown.
fn page(summary: &str, findings: &[Finding], has_changes: bool) -> String {
    let mut page = format!("# Review\n\n{}\n\n{}\n", summary.trim(), counts(findings));
    for finding in findings {
        let place = match finding.start_line {
            Some(start) => format!("{}:{start}-{}", finding.path, finding.line),
            None => format!("{}:{}", finding.path, finding.line),
        };
        let note = match (finding.anchored, has_changes) {
            (true, _) => "",
            (false, true) => " (outside of the changes)",
            (false, false) => " (no such place)",
        };
        let _ = write!(
            page,
            "\n## {}: {}\n\n`{place}`{note}\n\n{}\n",
            finding.severity, finding.title, finding.body
        );
        if let Some(suggestion) = &finding.suggestion {
            let fence = fence(suggestion);
            let _ = write!(page, "\nInstead:\n\n{fence}\n{}\n{fence}\n", suggestion.trim_end_matches('\n'));
        }
    }
    page
}

fn counts(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "Nothing was found.".to_owned();
    }
    let mut by_severity: BTreeMap<Severity, usize> = BTreeMap::new();
    for finding in findings {
        *by_severity.entry(finding.severity).or_default() += 1;
    }
    let each: Vec<String> =
        by_severity.iter().map(|(severity, count)| format!("{count} {severity}")).collect();
    let plural = if findings.len() == 1 { "" } else { "s" };
    format!("{} finding{plural}: {}.", findings.len(), each.join(", "))
}

/// Backquotes that nothing in `text` ends.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat((longest + 1).max(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines 10 to 20 of `a.rs`.
    fn hunk(path: &str, lines: &RangeInclusive<u32>) -> bool {
        path == "a.rs" && *lines.start() >= 10 && *lines.end() <= 20
    }

    fn finding(line: u32, severity: Severity, title: &str) -> Finding {
        Finding {
            path: "a.rs".into(),
            line,
            start_line: None,
            severity,
            title: title.into(),
            body: format!("Because of {title}."),
            suggestion: None,
            anchored: false,
        }
    }

    #[test]
    fn what_lies_outside_of_the_changes_is_told_apart() {
        let range =
            |start, line| Finding { start_line: Some(start), ..finding(line, Severity::Minor, "range") };
        let findings = vec![
            range(18, 21),
            range(18, 20),
            finding(9, Severity::Minor, "x"),
            finding(10, Severity::Minor, "y"),
        ];
        let anchored: Vec<_> =
            settle(findings, &hunk).into_iter().map(|finding| (finding.line, finding.anchored)).collect();
        assert_eq!(anchored, [(9, false), (10, true), (20, true), (21, false)]);
        let elsewhere = Finding { path: "b.rs".into(), ..finding(12, Severity::Note, "z") };
        assert!(!settle(vec![elsewhere], &hunk)[0].anchored);
    }

    #[test]
    fn a_defect_that_is_told_twice_is_one_and_the_worst_comes_first() {
        let again = Finding {
            body: "A longer explanation than the other one.".into(),
            suggestion: Some("let x = 1;".into()),
            ..finding(12, Severity::Critical, "It leaks!")
        };
        let findings =
            vec![finding(12, Severity::Minor, "it leaks"), finding(11, Severity::Major, "slow"), again];
        let settled = settle(findings, &hunk);
        assert_eq!(settled.len(), 2);
        assert_eq!((settled[0].severity, settled[0].title.as_str()), (Severity::Critical, "it leaks"));
        assert!(
            settled[0].body.starts_with("A longer") && settled[0].suggestion.is_some() && settled[0].anchored
        );
        assert_eq!(settled[1].severity, Severity::Major);
    }

    #[test]
    fn the_page_says_all_of_it() {
        let findings = vec![
            Finding {
                suggestion: Some("```\nx\n".into()),
                start_line: Some(10),
                anchored: true,
                ..finding(12, Severity::Major, "It leaks")
            },
            finding(3, Severity::Note, "A thought"),
        ];
        let page = page("Looks good but for one thing.\n", &findings, true);
        let expected = "# Review\n\nLooks good but for one thing.\n\n2 findings: 1 major, 1 note.\n\n## major: It leaks\n\n\
            `a.rs:10-12`\n\nBecause of It leaks.\n\nInstead:\n\n````\n```\nx\n````\n\n## note: A thought\n\n\
            `a.rs:3` (outside of the changes)\n\nBecause of A thought.\n";
        assert_eq!(page, expected);
        assert!(super::page("Fine.", &[], false).ends_with("Nothing was found.\n"));
    }
}
