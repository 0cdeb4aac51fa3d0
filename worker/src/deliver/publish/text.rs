//! What people read on a forge: titles, texts, messages. Pure. Whatever a model or a stranger wrote is defused.

use std::fmt::Write;

use domain::{Event, ExitReason, Finding, JobId, Money, NewJob, Outcome, Severity, Usage, head_and_tail};
use forge::github::{LONGEST_BODY, Remark, defused, fenced};

/// Bytes of each part that are shown.
const SUMMARY: usize = 16_000;
const PROMPT: usize = 4_000;
const OUTPUT: usize = 4_000;
/// Characters of a title, and of a commit's first line.
const TITLE: usize = 90;
const SUBJECT: usize = 72;

/// What the work took, over all attempts.
#[derive(Clone, Debug)]
pub struct Effort {
    pub steps: u32,
    pub usage: Usage,
    pub cost: Money,
    /// The model that was asked.
    pub model: String,
}

/// A result on its way to people.
pub struct Told<'a> {
    pub id: JobId,
    pub job: &'a NewJob,
    pub outcome: Outcome,
    pub reason: ExitReason,
    pub error: Option<&'a str>,
    pub summary: &'a str,
    /// What the clean checkout said.
    pub verified: Option<&'a Event>,
    /// The commit that the work started from.
    pub commit: &'a str,
    pub effort: &'a Effort,
}

/// The mark of the job's pull request or review.
pub fn mark(id: JobId) -> String {
    format!("<!-- codeteam job-{id} -->")
}

/// The mark of the comment that says how the job stands.
pub fn progress_mark(id: JobId) -> String {
    format!("<!-- codeteam job-{id} progress -->")
}

/// The line of a commit's message by which the job's own commit is known.
pub fn trailer(id: JobId) -> String {
    format!("Codeteam-Job: {id}")
}

impl Told<'_> {
    /// `Fix the rounding`, with what is wrong with it in front.
    pub fn title(&self) -> String {
        format!("{}{}", self.flaw(), self.subject(TITLE))
    }

    /// The commit's message.
    pub fn message(&self) -> String {
        let summary = defused(&head_and_tail(self.summary, SUMMARY));
        format!("{}{}\n\n{}\n\n{}\n", self.flaw(), self.subject(SUBJECT), summary.trim(), trailer(self.id))
    }

    /// The pull request's text. `moved`: the base is no longer where the work started, and the patch does not fit there.
    pub fn body(&self, moved: bool) -> String {
        let mut text = format!("{}\n", mark(self.id));
        for warning in self.warnings(moved) {
            _ = writeln!(text, "> **{warning}**\n");
        }
        let summary = match self.summary.trim() {
            "" => "The model did not say what it did: see the changes.".to_owned(),
            summary => defused(&head_and_tail(summary, SUMMARY)),
        };
        _ = writeln!(
            text,
            "## What was done\n\n{summary}\n\n## How it was verified\n\n{}",
            self.verification()
        );
        _ = writeln!(text, "## What it cost\n\n{}\n", self.effort.told());
        let prompt = fenced(&head_and_tail(&self.job.prompt, PROMPT), "text");
        _ = writeln!(
            text,
            "<details><summary>What was asked for</summary>\n\n{prompt}\n\n</details>\n\nJob {}",
            self.id
        );
        fit(text)
    }

    fn subject(&self, limit: usize) -> String {
        let line = |text: &str| text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
        let line = line(self.summary).or_else(|| line(&self.job.prompt)).unwrap_or_default();
        let line = defused(line.trim_start_matches(['#', '*', '-', ' ', '>', '`']));
        if line.chars().count() <= limit {
            return line;
        }
        format!("{}…", line.chars().take(limit - 1).collect::<String>().trim_end())
    }

    fn flaw(&self) -> &'static str {
        match (self.outcome, self.reason) {
            (Outcome::Failed, _) => "Tests fail: ",
            (Outcome::Unverified, reason) if reason != ExitReason::Finished => "Unfinished: ",
            _ => "",
        }
    }

    fn warnings(&self, moved: bool) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.outcome == Outcome::Failed {
            warnings.push(
                "The test command fails on these changes. They are no solution as they stand.".to_owned(),
            );
        }
        if self.reason != ExitReason::Finished {
            let why = self.reason.as_str().replace('_', " ");
            warnings.push(format!("The work was cut off ({why}). This is what was there."));
        }
        if moved {
            warnings.push(
                "The base branch has changed since, in the same places: these changes conflict with it."
                    .to_owned(),
            );
        }
        warnings
    }

    fn verification(&self) -> String {
        let commit = self.commit.get(..12).unwrap_or(self.commit);
        let Some(test) = self.job.test_command.as_deref() else {
            return "The job names no test command, so nothing but the model vouches for this.\n".to_owned();
        };
        let (said, output) = match self.verified {
            Some(Event::Verified { outcome: Outcome::Verified, output, elapsed_ms, .. }) => (
                format!(
                    "The changes were applied to a clean checkout of {commit}, and this passed there in {elapsed_ms} ms:"
                ),
                output.as_str(),
            ),
            Some(Event::Verified { output, .. }) => {
                let why = defused(self.error.unwrap_or("it failed"));
                (
                    format!("The changes were applied to a clean checkout of {commit}, and {why}:"),
                    output.as_str(),
                )
            }
            _ => ("Nothing came of this command:".to_owned(), ""),
        };
        let mut text = format!("{said}\n\n{}\n", fenced(test, "sh"));
        if !output.trim().is_empty() {
            let start = output.ceil_char_boundary(output.len().saturating_sub(OUTPUT));
            let tail = fenced(output.get(start..).unwrap_or_default(), "text");
            _ = writeln!(text, "\n<details><summary>The end of its output</summary>\n\n{tail}\n\n</details>");
        }
        text
    }
}

impl Effort {
    fn told(&self) -> String {
        let usage = &self.usage;
        format!(
            "{} model calls of {} · {} tokens of input ({} of them from a cache), {} of output · {} ({} micro-dollars)",
            self.steps,
            defused(&self.model),
            usage.input(),
            usage.cache_read,
            usage.output,
            self.cost,
            self.cost.0,
        )
    }
}

/// A review's text, without its mark. `homeless`: the findings that stand at no place of the changes.
pub fn review(
    id: JobId,
    summary: &str,
    findings: &[Finding],
    homeless: &[&Finding],
    effort: &Effort,
) -> String {
    let mut text = match findings.len() {
        0 => "Nothing was found.\n".to_owned(),
        _ => format!("{}\n", counts(findings)),
    };
    if !summary.trim().is_empty() {
        _ = writeln!(text, "\n{}", defused(&head_and_tail(summary, SUMMARY)).trim());
    }
    if !homeless.is_empty() {
        text.push_str("\n### Beside the changes\n");
    }
    for finding in homeless {
        let place = defused(&format!("{}:{}", finding.path, finding.line));
        _ = writeln!(text, "\n**{place}** {}", said(finding, false));
    }
    _ = writeln!(text, "\n---\n{}\n\nJob {id}", effort.told());
    fit(text)
}

/// What is said at a finding's place.
pub fn remark(finding: &Finding) -> Remark {
    Remark {
        path: finding.path.clone(),
        start_line: finding.start_line,
        line: finding.line,
        body: fit(said(finding, true)),
    }
}

/// `reviewing`: the comment while the work goes on.
pub fn reviewing(commit: &str) -> String {
    format!("Reviewing {}.", commit.get(..12).unwrap_or(commit))
}

/// The comment once the review stands.
pub fn reviewed(findings: &[Finding], url: &str) -> String {
    match findings.len() {
        0 => format!("Reviewed: nothing was found. {url}"),
        _ => format!("Reviewed: {} {url}", counts(findings)),
    }
}

/// The comment when there is no review to be.
pub fn gave_up(reason: ExitReason) -> String {
    format!("No review came of this: {}.", reason.as_str().replace('_', " "))
}

/// The branch that a job's base names, if it is not a commit's id and no other kind of name.
pub fn branch_named(base: &str) -> Option<&str> {
    let is_id = matches!(base.len(), 40 | 64) && base.bytes().all(|byte| byte.is_ascii_hexdigit());
    let branch = base.strip_prefix("refs/heads/").unwrap_or(base);
    (!is_id && !branch.starts_with("refs/")).then_some(branch)
}

/// Whether a patch changes what GitHub runs by itself. A line that begins so is always one of a file's head.
pub fn touches_workflows(diff: &str) -> bool {
    let mut heads = diff.lines().filter_map(|line| line.strip_prefix("diff --git "));
    heads.any(|head| head.contains("a/.github/workflows/") || head.contains("b/.github/workflows/"))
}

fn counts(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let told: Vec<String> = Severity::ALL
        .iter()
        .map(|&severity| (count(severity), severity))
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| format!("{count} {severity}"))
        .collect();
    let word = if findings.len() == 1 { "finding" } else { "findings" };
    format!("{} {word}: {}.", findings.len(), told.join(", "))
}

fn said(finding: &Finding, in_place: bool) -> String {
    let mut text =
        format!("**{}: {}**\n\n{}", finding.severity, defused(&finding.title), defused(&finding.body));
    if let Some(suggestion) = &finding.suggestion {
        // Only in its place can it be taken over with a click.
        let language = if in_place { "suggestion" } else { "" };
        _ = write!(text, "\n\n{}", fenced(&suggestion.replace("\r\n", "\n"), language));
    }
    text
}

/// What GitHub takes of a text. Every part of it was cut before, so that this is for many parts alone.
fn fit(text: String) -> String {
    head_and_tail(&text, LONGEST_BODY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Task;

    fn effort() -> Effort {
        let usage = Usage { uncached: 10, cache_read: 5, output: 7, ..Usage::default() };
        Effort { steps: 3, usage, cost: Money(12_345), model: "m-1".into() }
    }

    fn told<'a>(job: &'a NewJob, summary: &'a str, effort: &'a Effort) -> Told<'a> {
        Told {
            id: JobId(uuid::Uuid::nil()),
            job,
            outcome: Outcome::Unverified,
            reason: ExitReason::Finished,
            error: None,
            summary,
            verified: None,
            commit: "0123456789abcdef",
            effort,
        }
    }

    #[test]
    fn what_strangers_wrote_acts_nowhere() {
        let evil = "fixes #1 @octocat <!-- codeteam job-x -->\n```\n</details>";
        let mut job = NewJob::new(Task::BugFix, "/r", evil);
        job.test_command = Some("``` @everyone".into());
        let effort = effort();
        let told = told(&job, evil, &effort);
        for text in [told.title(), told.message()] {
            assert!(!text.contains("#1") && !text.contains("@octocat") && !text.contains("<!--"), "{text}");
        }
        let body = told.body(false);
        let outside: String = body.split("````").step_by(2).collect();
        assert!(!outside.contains("@octocat") && !outside.contains("@everyone"), "{outside}");
        assert_eq!(outside.matches("<!--").count(), 1, "the mark alone: {outside}");
        assert_eq!(outside.matches("</details>").count(), 1, "{outside}");
    }

    #[test]
    fn what_is_not_done_does_not_look_done() {
        let job = NewJob::new(Task::BugFix, "/r", "p");
        let effort = effort();
        let mut told = told(&job, "# Halves\nmore", &effort);
        assert_eq!(told.title(), "Halves");
        told.reason = ExitReason::StepCap;
        assert_eq!(told.title(), "Unfinished: Halves");
        assert!(told.body(false).contains("cut off (step cap)"));
        told.outcome = Outcome::Verified;
        assert_eq!(told.title(), "Halves", "the tests have the last word");
        told.outcome = Outcome::Failed;
        assert_eq!(told.title(), "Tests fail: Halves");
        assert!(told.body(true).contains("no solution") && told.body(true).contains("conflict"));
        assert!(
            told.body(false).contains("(12345 micro-dollars)")
                && told.message().contains("\nCodeteam-Job: 0000")
        );
    }

    #[test]
    fn a_base_names_a_branch_or_something_else() {
        assert_eq!([branch_named("main"), branch_named("refs/heads/a/b")], [Some("main"), Some("a/b")]);
        assert_eq!([branch_named("refs/tags/v1"), branch_named(&"0f".repeat(20))], [None, None]);
    }

    #[test]
    fn a_patch_that_changes_workflows_is_known_by_its_files() {
        let patch = |path: &str| format!("diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n");
        assert!(touches_workflows(&format!("{}{}", patch("a"), patch(".github/workflows/ci.yml"))));
        assert!(touches_workflows(
            "diff --git \"a/.github/workflows/\\303\" \"b/.github/workflows/\\303\"\n"
        ));
        assert!(touches_workflows("diff --git a/x b/.github/workflows/x\nrename from x\n"));
        assert!(!touches_workflows(&format!("{}+diff --git a/.github/workflows/x\n", patch(".github/x"))));
    }

    #[test]
    fn findings_are_told_once_each() {
        let finding = Finding {
            path: "a.rs".into(),
            line: 4,
            start_line: None,
            severity: Severity::Major,
            title: "off by one".into(),
            body: "it is".into(),
            suggestion: Some("x```y".into()),
            anchored: true,
        };
        assert!(remark(&finding).body.ends_with("````suggestion\nx```y\n````"), "{}", remark(&finding).body);
        let both = [finding.clone(), Finding { severity: Severity::Note, line: 9, ..finding }];
        let text = review(JobId(uuid::Uuid::nil()), "", &both, &[&both[1]], &effort());
        assert!(text.starts_with("2 findings: 1 major, 1 note.") && text.contains("**a.rs:9**"), "{text}");
        assert!(!text.contains("**a.rs:4**"));
    }
}
