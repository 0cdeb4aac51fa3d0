//! A job as the command line asks for it.

use std::path::Path;

use clap::Args;
use domain::{Caps, CapsOverride, Delivery, Mode, NewJob, Queueing, Task};

use crate::error::CliError;

/// What is to be done, and what it may use.
#[derive(Debug, Args)]
pub struct JobArgs {
    /// The repository: a folder on this machine, or any URL that git clones
    #[arg(long, value_name = "PATH_OR_URL")]
    pub repo: String,
    /// bug_fix, refactor, analysis, review, feature, complex_refactor, security_fix or architecture
    #[arg(long)]
    pub task: Task,
    /// mechanic (quick and cheap) or genius (thorough) [default: by the task]
    #[arg(long, env = "MODE")]
    pub mode: Option<Mode>,
    /// The model to use [default: the mode's]
    #[arg(long, env = "MODEL")]
    pub model: Option<String>,
    /// A shell command that exits with 0 in a clean checkout when the work is right
    #[arg(long, value_name = "CMD")]
    pub test_command: Option<String>,
    /// A shell command that fetches what the build needs: run in each checkout before anything else, with network, without secrets
    #[arg(long, value_name = "CMD")]
    pub setup_command: Option<String>,
    /// The branch, tag or commit to start from [default: the repository's HEAD]
    #[arg(long, value_name = "REF")]
    pub base: Option<String>,
    /// Of a review: the branch, tag, commit or pull/N whose changes since the base are looked at [default: the code as it is]
    #[arg(long, value_name = "REF")]
    pub head: Option<String>,
    /// Where the result goes: patch, branch or pull_request [default: a pull request where the forge allows it, else a patch]
    #[arg(long, value_name = "WHERE")]
    pub delivery: Option<Delivery>,
    /// At most this many model calls [default: 20 for a mechanic, 100 for a genius]
    #[arg(long, env = "STEP_CAP", value_name = "N")]
    pub step_cap: Option<u32>,
    /// At most this many tokens at full rate [default: 50000 and 200000]
    #[arg(long, env = "TOKEN_CAP", value_name = "N")]
    pub token_cap: Option<u64>,
    /// At most this long from claim to delivery [default: 60000 and 300000]
    #[arg(long, env = "TIME_LIMIT_MS", value_name = "MILLISECONDS")]
    pub time_limit_ms: Option<u64>,
    /// At most this much money, such as 0.25 [default: no bound of its own]
    #[arg(long, value_name = "DOLLARS", value_parser = micros, conflicts_with = "cost_cap_micros")]
    pub cost_cap: Option<i64>,
    /// The same in millionths of a dollar
    #[arg(long, value_name = "N")]
    pub cost_cap_micros: Option<i64>,
    /// Your own name for this piece of work: while a job of that name is open, that one is meant
    #[arg(long, value_name = "KEY")]
    pub dedupe_key: Option<String>,
    /// What to do, in a sentence or more
    pub prompt: String,
}

impl JobArgs {
    /// The job, checked as far as that needs no look at the world. A path becomes a full one: a worker stands elsewhere.
    pub fn job(&self) -> Result<NewJob, CliError> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let mut job = NewJob {
            mode: self.mode.unwrap_or(self.task.default_mode()),
            task: self.task,
            repo: self.repo.clone(),
            base: self.base.clone(),
            head: self.head.clone(),
            prompt: self.prompt.clone(),
            setup_command: self.setup_command.clone(),
            test_command: self.test_command.clone(),
            delivery: self.delivery,
            model: filled(&self.model),
            dedupe_key: self.dedupe_key.clone(),
            queueing: Queueing::default(),
            caps: CapsOverride {
                step_cap: self.step_cap,
                token_cap: self.token_cap,
                time_limit_ms: self.time_limit_ms,
                cost_cap_micros: self.cost_cap.or(self.cost_cap_micros),
            },
        };
        job.check()?;
        if let Some(model) = &job.model {
            models::check(model)?;
        }
        job.repo = full_address(&job.repo)?;
        job.check()?;
        Ok(job)
    }

    /// The model calls that the job may make, as far as this program can know.
    pub fn steps(&self, job: &NewJob) -> u32 {
        Caps::of(job.mode).with(&job.caps).steps
    }
}

/// A folder's full path; a URL, and `user@host:path`, as they are.
pub(super) fn full_address(repo: &str) -> Result<String, CliError> {
    let path = Path::new(repo);
    let before_colon = repo.split_once(':').map(|(before, _)| before);
    let is_elsewhere = repo.contains("://") || before_colon.is_some_and(|host| !host.contains('/'));
    if is_elsewhere && !path.exists() {
        return Ok(repo.to_owned());
    }
    let full = std::path::absolute(path).map_err(CliError::folder("find", path))?;
    // A folder that is there is named by its real path, without `..`; one that is not is reported by its written one.
    let full = full.canonicalize().unwrap_or(full);
    full.into_os_string().into_string().map_err(|_| {
        CliError::Usage(
            "the repository's full path is not UTF-8: name it by a path of ordinary characters".into(),
        )
    })
}

/// Micro-dollars of an amount as people write it: `0.25`, `$3`.
pub(super) fn micros(text: &str) -> Result<i64, String> {
    let wrong =
        || format!("{text:?} is no amount of dollars: write for example 0.25, with at most six decimals");
    let amount = text.trim().trim_start_matches('$');
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) || fraction.len() > 6
    {
        return Err(wrong());
    }
    format!("{whole}{fraction:0<6}").parse().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_exactly() {
        for (text, expected) in [
            ("0.25", 250_000),
            ("$3", 3_000_000),
            ("1.000001", 1_000_001),
            (".5", 500_000),
            ("2.", 2_000_000),
        ] {
            assert_eq!(micros(text), Ok(expected), "{text}");
        }
        for text in ["", ".", "$", "1,5", "-1", "0.1234567", "1e3", "99999999999999999999", "½"] {
            assert!(micros(text).unwrap_err().contains("no amount of dollars"), "{text}");
        }
    }

    #[test]
    fn addresses_elsewhere_stay_and_folders_become_full_paths() {
        for url in ["https://example.org/a.git", "git@example.org:a/b", "ssh://git@h/x"] {
            assert_eq!(full_address(url).unwrap(), url);
        }
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(full_address(".").unwrap(), here.to_str().unwrap());
        assert_eq!(full_address("no/such:folder").unwrap(), here.join("no/such:folder").to_str().unwrap());
    }
}
