//! Dead letters as the command line selects and changes them. No setting in the environment has a say here: it is about jobs that
//! are there already.

use std::time::Duration;

use clap::Args;
use domain::{Change, Delivery, ExitReason, JobChanges, JobState, Mode, Task};
use jiff::Timestamp;
use store::DeadSelection;

use super::job::{full_address, micros};
use crate::error::CliError;

/// `dead`
#[derive(Debug, Args)]
pub struct DeadArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// One line for each job, not for each error
    #[arg(long)]
    pub list: bool,
    /// At most this many lines
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub limit: i32,
}

/// Which dead letters are meant.
#[derive(Debug, Args)]
pub struct SelectionArgs {
    /// Only those in this state: failed or dead
    #[arg(long)]
    state: Option<JobState>,
    /// Only those of this mode
    #[arg(long)]
    mode: Option<Mode>,
    /// Only those of this task
    #[arg(long)]
    task: Option<Task>,
    /// Only those of this repository
    #[arg(long, value_name = "PATH_OR_URL")]
    repo: Option<String>,
    /// Only those that ended for this reason, such as model_error
    #[arg(long, value_name = "EXIT_REASON")]
    reason: Option<ExitReason>,
    /// Only those that ended by this error, as `codeteam dead` names it
    #[arg(long)]
    fingerprint: Option<String>,
    /// Only those that ended longer ago, such as 30m, 12h or 7d
    #[arg(long, value_name = "SPAN", value_parser = span)]
    older: Option<Duration>,
    /// Only those that ended since then
    #[arg(long, value_name = "SPAN", value_parser = span)]
    newer: Option<Duration>,
}

impl SelectionArgs {
    /// The selection, with times reckoned from `now`.
    pub fn selection(&self, now: Timestamp) -> Result<DeadSelection, CliError> {
        let ago = |span: Option<Duration>| {
            span.map(|span| {
                let early = || CliError::Usage("that is longer ago than any job: give a shorter span".into());
                now.checked_sub(span).map_err(|_| early())
            })
            .transpose()
        };
        if let Some(state) = self.state
            && !matches!(state, JobState::Failed | JobState::Dead)
        {
            return Err(CliError::Usage(format!("a dead letter is never {state}: select failed or dead")));
        }
        Ok(DeadSelection {
            state: self.state,
            mode: self.mode,
            repo: self.repo.as_deref().map(full_address).transpose()?,
            task: self.task,
            exit_reason: self.reason,
            fingerprint: self.fingerprint.clone(),
            finished_after: ago(self.newer)?,
            finished_before: ago(self.older)?,
            ids: None,
        })
    }
}

/// The jobs that `retry` and `acknowledge` are about.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// The jobs' ids, or the first characters of them
    #[arg(required_unless_present = "dead", conflicts_with = "dead", value_name = "ID")]
    pub ids: Vec<String>,
    /// All dead letters, or those that the following options select
    #[arg(long)]
    pub dead: bool,
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Say how many are meant, and change nothing
    #[arg(long, conflicts_with = "ids")]
    pub dry_run: bool,
}

impl TargetArgs {
    /// The selection that is meant; None: single jobs are.
    pub fn selection(&self, now: Timestamp) -> Result<Option<DeadSelection>, CliError> {
        let selection = self.selection.selection(now)?;
        if !self.dead && selection != DeadSelection::default() {
            return Err(CliError::Usage(
                "--state, --mode, --task, --repo, --reason, --fingerprint, --older and --newer select among the dead \
                 letters: give --dead instead of ids"
                    .into(),
            ));
        }
        Ok(self.dead.then_some(selection))
    }
}

/// `acknowledge`
#[derive(Debug, Args)]
pub struct AcknowledgeArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// Who has seen them
    #[arg(long, value_name = "NAME", env = "USER", default_value = "somebody")]
    pub by: String,
}

/// `retry`
#[derive(Debug, Args)]
pub struct RetryArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

/// What is changed of jobs that are retried.
#[derive(Debug, Args)]
#[command(next_help_heading = "Changes")]
struct ChangeArgs {
    /// What to do from now on
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Another model
    #[arg(long)]
    model: Option<String>,
    /// Another set-up command
    #[arg(long, value_name = "CMD")]
    setup_command: Option<String>,
    /// Another test command
    #[arg(long, value_name = "CMD")]
    test_command: Option<String>,
    /// Another place for the result: patch, branch or pull_request
    #[arg(long, value_name = "WHERE")]
    delivery: Option<Delivery>,
    /// At most this many model calls
    #[arg(long, value_name = "N")]
    step_cap: Option<u32>,
    /// At most this many tokens at full rate
    #[arg(long, value_name = "N")]
    token_cap: Option<u64>,
    /// At most this long from claim to delivery
    #[arg(long, value_name = "MILLISECONDS")]
    time_limit_ms: Option<u64>,
    /// At most this much money, such as 0.25
    #[arg(long, value_name = "DOLLARS", value_parser = micros)]
    cost_cap: Option<i64>,
    /// 0 to 9, higher ones go first
    #[arg(long, value_name = "N")]
    priority: Option<i16>,
    /// Back to the default: model, setup-command, test-command, delivery, step-cap, token-cap, time-limit-ms, cost-cap or priority
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    reset: Vec<String>,
}

impl RetryArgs {
    /// The changes, checked as far as that needs no look at the world.
    pub fn changes(&self) -> Result<JobChanges, CliError> {
        const KNOWN: [&str; 9] = [
            "model",
            "setup-command",
            "test-command",
            "delivery",
            "step-cap",
            "token-cap",
            "time-limit-ms",
            "cost-cap",
            "priority",
        ];
        let ChangeArgs { reset, .. } = &self.changes;
        if let Some(strange) = reset.iter().find(|what| !KNOWN.contains(&what.as_str())) {
            let known = KNOWN.join(", ");
            return Err(CliError::Usage(format!("{strange:?} has no default to go back to: use {known}")));
        }
        let given = &self.changes;
        let changes = JobChanges {
            prompt: given.prompt.clone(),
            model: change("model", &given.model, reset)?,
            setup_command: change("setup-command", &given.setup_command, reset)?,
            test_command: change("test-command", &given.test_command, reset)?,
            delivery: change("delivery", &given.delivery, reset)?,
            step_cap: change("step-cap", &given.step_cap, reset)?,
            token_cap: change("token-cap", &given.token_cap, reset)?,
            time_limit_ms: change("time-limit-ms", &given.time_limit_ms, reset)?,
            cost_cap_micros: change("cost-cap", &given.cost_cap, reset)?,
            priority: change("priority", &given.priority, reset)?,
        };
        changes.check()?;
        if let Some(model) = &given.model {
            models::check(model)?;
        }
        Ok(changes)
    }
}

fn change<T: Clone>(name: &str, to: &Option<T>, reset: &[String]) -> Result<Change<T>, CliError> {
    match (to, reset.iter().any(|what| what == name)) {
        (None, false) => Ok(Change::Keep),
        (None, true) => Ok(Change::Reset),
        (Some(value), false) => Ok(Change::To(value.clone())),
        (Some(_), true) => {
            Err(CliError::Usage(format!("--{name} and --reset {name} contradict each other: give one")))
        }
    }
}

/// A span as people write it: `90s`, `30m`, `12h`, `7d`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no span of time: write for example 30m, 12h or 7d");
    let unit = match text.chars().next_back() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Retry {
        #[command(flatten)]
        args: RetryArgs,
    }

    fn retry(args: &[&str]) -> RetryArgs {
        Retry::try_parse_from([&["retry"], args].concat()).unwrap().args
    }

    #[test]
    fn spans_are_read_with_their_unit() {
        for (text, seconds) in [("90s", 90), ("30m", 1_800), ("12h", 43_200), ("7d", 604_800)] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "d", "7", "-1d", "1.5h", "7 d", "7é", "99999999999d"] {
            assert!(span(text).unwrap_err().contains("30m, 12h or 7d"), "{text}");
        }
    }

    #[test]
    fn what_is_not_named_stays_and_what_is_reset_says_nothing() {
        let changes = retry(&["abcd", "--step-cap", "40", "--reset", "model,cost-cap"]).changes().unwrap();
        let expected = JobChanges {
            step_cap: Change::To(40),
            model: Change::Reset,
            cost_cap_micros: Change::Reset,
            ..JobChanges::default()
        };
        assert_eq!(changes, expected);
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        let cases: [(&[&str], &str); 4] = [
            (&["a", "--reset", "prompt"], "use model, setup-command"),
            (&["a", "--model", "claude-haiku-4-5", "--reset", "model"], "give one"),
            (&["a", "--step-cap", "0"], "from 1 to 10000"),
            (&["a", "--model", "gpt-99"], "gpt-99"),
        ];
        for (args, words) in cases {
            let error = retry(args).changes().unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
        let error = retry(&["a", "--repo", "/srv/app"]).target.selection(Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(error.to_string().contains("give --dead"), "{error}");
        let parse = |args: &[&str]| Retry::try_parse_from([&["retry"], args].concat());
        assert!(
            parse(&[]).is_err() && parse(&["a", "--dead"]).is_err() && parse(&["a", "--dry-run"]).is_err()
        );
    }
}
