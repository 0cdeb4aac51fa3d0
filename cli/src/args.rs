//! The command line. Settings are flags with the same name in the environment; a flag wins.

mod budget;
mod dead;
mod eval;
mod job;
mod queueing;
mod scale;
mod simulate;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use domain::{JobState, Mode};

pub use budget::{BudgetAction, BudgetArgs, ClearBudgetArgs, SetBudgetArgs};
pub use dead::{AcknowledgeArgs, DeadArgs, RetryArgs};
pub use eval::EvalArgs;
pub use job::JobArgs;
pub use queueing::QueueingArgs;
pub use scale::{HistoryArgs, PauseScalingArgs, ResumeScalingArgs, ScaleAction, ScaleArgs, SetLimitsArgs};
pub use simulate::SimulateArgs;

/// An AI coding team that sleeps until it is asked, then repairs, reviews and extends git repositories.
#[derive(Debug, Parser)]
#[command(name = "codeteam", version, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub struct Global {
    /// Answer in JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// The folder that holds the team's database, secrets and logs [default: /var/lib/codeteam as root, else
    /// ~/.local/share/codeteam]
    #[arg(long, global = true, value_name = "DIR", env = "CODETEAM_HOME")]
    pub home: Option<PathBuf>,
    /// Your keys: a file of one JSON object with mode 0600, or aws:PREFIX [default: file:~/.config/codeteam/secrets.json]
    #[arg(long, global = true, value_name = "SOURCE", env = "SECRETS")]
    pub secrets: Option<String>,
    /// How much to say on standard error, such as `info` or `warn,store=debug`
    #[arg(long, global = true, value_name = "FILTER", env = "LOG")]
    pub log: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the team on this machine until Ctrl-C: database, scaler, and workers when there is work
    Up(UpArgs),
    /// Show one job from a sleeping team to a verified patch, on a small repository of its own
    Demo(DemoArgs),
    /// Do one job to its end and print its diff or report
    Run(RunArgs),
    /// Put a job into the queue
    Submit(SubmitArgs),
    /// List jobs, newest first
    Jobs(JobsArgs),
    /// Show everything about one job: how it ended, its model calls, its result
    Show(ShowArgs),
    /// Show what happened to a job, step by step
    Logs(LogsArgs),
    /// End a job
    Cancel(IdArgs),
    /// List the failed and dead jobs that wait for a person, by their errors
    Dead(DeadArgs),
    /// Put failed, cancelled or dead jobs back into the queue, changed or as they were
    Retry(RetryArgs),
    /// Take failed and dead jobs off that list: you have seen them
    #[command(visible_alias = "ack")]
    Acknowledge(AcknowledgeArgs),
    /// Let a mode's jobs wait; those at work are finished
    Pause(PauseArgs),
    /// Let a paused mode's jobs go on
    Resume(ModeArgs),
    /// List the workers that are there, and the scaler's latest decisions
    Workers,
    /// Show how many workers there are and why, pause scaling, or change its limits
    Scale(ScaleArgs),
    /// Add up what jobs cost, by model and by repository
    Costs,
    /// Say what a repository, or all of them together, may spend in a day or in all
    Budget(BudgetArgs),
    /// Compare ways of scaling: what jobs would wait and workers would cost on AWS
    Simulate(Box<SimulateArgs>),
    /// Let a model do a corpus of small jobs, and say which it solved and what that took
    Eval(EvalArgs),
    /// Check that everything is there that a team needs
    Doctor,
    /// Bring the database that DATABASE_URL in your secrets names to this program's schema
    Migrate,
    /// Print a completion script for your shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// `up`
#[derive(Debug, Args)]
pub struct UpArgs {
    /// At most this many mechanics at once
    #[arg(long, env = "MECHANIC_MAX", value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub mechanic_max: Option<u32>,
    /// At most this many geniuses at once
    #[arg(long, env = "GENIUS_MAX", value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub genius_max: Option<u32>,
    /// How long an idle fleet stays before it goes to sleep
    #[arg(long, env = "COOL_DOWN_MS", value_name = "MILLISECONDS")]
    pub cool_down_ms: Option<u64>,
    /// How long finished jobs are kept; 0 keeps them for ever [default: 90]
    #[arg(long, env = "RETENTION_DAYS", value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub retention_days: Option<u32>,
}

/// `demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Play a prepared conversation in place of a model: needs no key
    #[arg(long)]
    pub rehearsal: bool,
    /// The model to use [default: the mechanic's]
    #[arg(long, env = "MODEL", conflicts_with = "rehearsal")]
    pub model: Option<String>,
}

/// `run`
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// Play this prepared conversation in place of a model: needs no key
    #[arg(long, value_name = "SCRIPT.json")]
    pub rehearsal: Option<PathBuf>,
}

/// `submit`
#[derive(Debug, Args)]
pub struct SubmitArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// Do not look whether the repository and its base are there
    #[arg(long)]
    pub no_check: bool,
    #[command(flatten)]
    pub queueing: QueueingArgs,
}

/// `jobs`
#[derive(Debug, Args)]
pub struct JobsArgs {
    /// Only jobs in this state: queued, running, succeeded, failed, cancelled or dead
    #[arg(long)]
    pub state: Option<JobState>,
    /// Only jobs of this mode: mechanic or genius
    #[arg(long)]
    pub mode: Option<Mode>,
    /// Go on where another list ended: only jobs that stand below this one
    #[arg(long, value_name = "ID")]
    pub below: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    pub limit: i64,
}

/// `pause`
#[derive(Debug, Args)]
pub struct PauseArgs {
    /// mechanic or genius
    pub mode: Mode,
    /// Why, for those who wonder
    #[arg(default_value = "")]
    pub reason: String,
}

/// `resume`
#[derive(Debug, Args)]
pub struct ModeArgs {
    /// mechanic or genius
    pub mode: Mode,
}

/// `show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The job's id, or the first characters of it
    pub id: String,
    /// Print the diff or report and nothing else
    #[arg(long)]
    pub result: bool,
}

/// `logs`
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// The job's id, or the first characters of it
    pub id: String,
    /// Wait for more until the job ends
    #[arg(long, short)]
    pub follow: bool,
}

/// `cancel`
#[derive(Debug, Args)]
pub struct IdArgs {
    /// The job's id, or the first characters of it
    pub id: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_unknown_task_is_answered_with_the_known_ones() {
        let error =
            Cli::try_parse_from(["codeteam", "run", "--repo", ".", "--task", "sing", "x"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("use one of bug_fix, refactor"), "{error}");
    }
}
