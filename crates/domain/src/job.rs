//! A job as it is asked for, and the rules that it must keep before it is worth a row.

use serde::{Deserialize, Serialize};

use crate::{CapsOverride, Delivery, Mode, Queueing, Task};

/// The sizes that the database's CHECK constraints enforce too.
pub mod limits {
    /// Bytes of a prompt.
    pub const PROMPT_BYTES: usize = 100_000;
    /// Bytes of a repository's path or URL.
    pub const REPO_BYTES: usize = 2_000;
    /// Bytes of a branch, tag or commit name.
    pub const BASE_BYTES: usize = 250;
    /// Bytes of a dedupe key.
    pub const DEDUPE_KEY_BYTES: usize = 500;
    /// Bytes of a group key.
    pub const GROUP_KEY_BYTES: usize = 500;
    /// Jobs that one job may wait for.
    pub const AFTER: usize = 100;
    /// Bytes of a model's name.
    pub const MODEL_BYTES: usize = 200;
    /// Bytes of a set-up command, and of a test command.
    pub const COMMAND_BYTES: usize = 10_000;
}

/// A job as a person or a program asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewJob {
    /// Who works on it.
    pub mode: Mode,
    /// What is asked for.
    pub task: Task,
    /// A path, or any URL that git clones.
    pub repo: String,
    /// The branch, tag or commit to start from. None: the repository's HEAD.
    #[serde(default)]
    pub base: Option<String>,
    /// Of a review: the branch, tag, commit or `pull/N` whose changes since `base` are looked at. None: the code as it is.
    #[serde(default)]
    pub head: Option<String>,
    /// What to do, in a person's words.
    pub prompt: String,
    /// The shell command that fetches what a build needs: run in each checkout before anything else, with network and without
    /// secrets. None: nothing is set up.
    #[serde(default)]
    pub setup_command: Option<String>,
    /// The shell command whose exit code 0, in a clean checkout, means that the work is right. None: nothing verifies it.
    #[serde(default)]
    pub test_command: Option<String>,
    /// Where the result goes. None: into a pull request where the forge allows it, else it stays a patch.
    #[serde(default)]
    pub delivery: Option<Delivery>,
    /// None: the worker's own.
    #[serde(default)]
    pub model: Option<String>,
    /// The caller's own name for this piece of work: while a job of that name is open, another one is not made.
    #[serde(default)]
    pub dedupe_key: Option<String>,
    /// When its turn comes.
    #[serde(default, flatten)]
    pub queueing: Queueing,
    /// What this job may use at most, where it differs from its mode.
    #[serde(default, flatten)]
    pub caps: CapsOverride,
}

/// Why a job is not worth a row. The message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJob {
    #[error("the {field} is empty: {hint}")]
    #[allow(missing_docs)]
    Empty { field: &'static str, hint: &'static str },
    #[error("the {field} has {bytes} bytes; at most {limit} are taken: {hint}")]
    #[allow(missing_docs)]
    TooLong { field: &'static str, bytes: usize, limit: usize, hint: &'static str },
    #[error("the {field} holds a NUL byte, which PostgreSQL cannot store: remove it")]
    #[allow(missing_docs)]
    Nul { field: &'static str },
    #[error("the {field} starts with '-', which git would read as an option: write it without")]
    #[allow(missing_docs)]
    LooksLikeOption { field: &'static str },
    #[error("a {task} has no head: it is what a review looks at; name what to start from as base")]
    #[allow(missing_docs)]
    NoHead { task: Task },
    #[error("{name} is {given}: give a number from {least} to {most}")]
    #[allow(missing_docs)]
    OutOfRange { name: &'static str, given: i128, least: i128, most: i128 },
}

impl NewJob {
    /// A job of the task's own mode that says nothing more of itself.
    pub fn new(task: Task, repo: impl Into<String>, prompt: impl Into<String>) -> NewJob {
        NewJob {
            mode: task.default_mode(),
            task,
            repo: repo.into(),
            base: None,
            head: None,
            prompt: prompt.into(),
            setup_command: None,
            test_command: None,
            delivery: None,
            model: None,
            dedupe_key: None,
            queueing: Queueing::default(),
            caps: CapsOverride::default(),
        }
    }

    /// Checks every rule that needs no look at the world.
    pub fn check(&self) -> Result<(), InvalidJob> {
        text(
            "prompt",
            &self.prompt,
            limits::PROMPT_BYTES,
            "say in a sentence what to do; put long material into the repository",
        )?;
        text("repository", &self.repo, limits::REPO_BYTES, "give a path or a URL that git clones")?;
        not_an_option("repository", &self.repo)?;
        if let Some(base) = &self.base {
            text("base", base, limits::BASE_BYTES, "name a branch, a tag or a commit")?;
            not_an_option("base", base)?;
        }
        if let Some(head) = &self.head {
            text("head", head, limits::BASE_BYTES, "name a branch, a tag, a commit or pull/N")?;
            not_an_option("head", head)?;
            if self.task != Task::Review {
                return Err(InvalidJob::NoHead { task: self.task });
            }
        }
        for (field, command) in
            [("set-up command", &self.setup_command), ("test command", &self.test_command)]
        {
            if let Some(command) = command {
                text(field, command, limits::COMMAND_BYTES, "give a shell command, or leave it out")?;
            }
        }
        if let Some(key) = &self.dedupe_key {
            text("dedupe key", key, limits::DEDUPE_KEY_BYTES, "name the piece of work, or leave it out")?;
        }
        if let Some(model) = &self.model {
            text("model", model, limits::MODEL_BYTES, "name a model, or leave it out")?;
        }
        self.queueing.check()?;
        let caps = &self.caps;
        range("step_cap", caps.step_cap.map(i128::from), 1, 10_000)?;
        range("token_cap", caps.token_cap.map(i128::from), 1, 100_000_000)?;
        range("time_limit_ms", caps.time_limit_ms.map(i128::from), 1_000, 86_400_000)?;
        range("cost_cap_micros", caps.cost_cap_micros.map(i128::from), 1, i128::from(i64::MAX))
    }
}

pub(crate) fn text(
    field: &'static str,
    value: &str,
    limit: usize,
    hint: &'static str,
) -> Result<(), InvalidJob> {
    if value.trim().is_empty() {
        return Err(InvalidJob::Empty { field, hint });
    }
    if value.contains('\0') {
        return Err(InvalidJob::Nul { field });
    }
    if value.len() > limit {
        return Err(InvalidJob::TooLong { field, bytes: value.len(), limit, hint });
    }
    Ok(())
}

fn not_an_option(field: &'static str, value: &str) -> Result<(), InvalidJob> {
    if value.starts_with('-') { Err(InvalidJob::LooksLikeOption { field }) } else { Ok(()) }
}

pub(crate) fn range(
    name: &'static str,
    given: Option<i128>,
    least: i128,
    most: i128,
) -> Result<(), InvalidJob> {
    match given {
        Some(given) if given < least || given > most => {
            Err(InvalidJob::OutOfRange { name, given, least, most })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> NewJob {
        NewJob::new(Task::BugFix, "/srv/app", "fix it")
    }

    #[test]
    fn a_plain_job_passes() {
        assert_eq!(job().check(), Ok(()));
    }

    #[test]
    fn each_rule_says_what_to_do() {
        let cases: [(NewJob, &str); 6] = [
            (NewJob { prompt: " \n".into(), ..job() }, "the prompt is empty"),
            (NewJob { prompt: "x".repeat(100_001), ..job() }, "at most 100000 are taken"),
            (NewJob { repo: "a\0b".into(), ..job() }, "NUL"),
            (NewJob { head: Some("feature".into()), ..job() }, "a bug_fix has no head"),
            (NewJob { base: Some("--upload-pack=x".into()), ..job() }, "starts with '-'"),
            (
                NewJob { caps: CapsOverride { step_cap: Some(0), ..CapsOverride::default() }, ..job() },
                "from 1 to 10000",
            ),
        ];
        for (job, expected) in cases {
            let message = job.check().unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
