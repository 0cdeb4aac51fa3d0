//! `scale`: how many workers there are, why, and within which limits.

use std::time::Duration;

use clap::{Args, Subcommand};
use domain::Mode;
use store::FleetLimits;

use super::dead::span;
use crate::error::CliError;

/// The longest cool-down.
const DAY: Duration = Duration::from_secs(86_400);

/// `scale`
#[derive(Debug, Args)]
pub struct ScaleArgs {
    #[command(subcommand)]
    pub action: Option<ScaleAction>,
}

/// What is to be done; nothing named shows the status.
#[derive(Debug, Subcommand)]
pub enum ScaleAction {
    /// Show each fleet's queue, workers, target and limits, and which scaler leads
    Status,
    /// List what was decided and what happened to the fleet, newest first, and how long each wake took
    History(HistoryArgs),
    /// Leave the number of workers as it is, whatever is queued
    Pause(PauseScalingArgs),
    /// Let the number of workers follow the work again
    Resume(ResumeScalingArgs),
    /// Change a fleet's limits: they count before those that the scaler was started with
    SetLimits(SetLimitsArgs),
}

/// `scale history`
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// At most this many lines
    #[arg(short = 'n', long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub limit: u16,
}

/// `scale pause`
#[derive(Debug, Args)]
pub struct PauseScalingArgs {
    /// mechanic or genius [default: both]
    pub mode: Option<Mode>,
    /// Why, for those who wonder
    #[arg(long, default_value = "", hide_default_value = true)]
    pub reason: String,
}

/// `scale resume`
#[derive(Debug, Args)]
pub struct ResumeScalingArgs {
    /// mechanic or genius [default: both]
    pub mode: Option<Mode>,
}

/// `scale set-limits`
#[derive(Debug, Args)]
pub struct SetLimitsArgs {
    /// mechanic or genius
    pub mode: Mode,
    /// Workers at least, with or without work
    #[arg(long, value_name = "WORKERS", value_parser = clap::value_parser!(u32).range(0..=1_000))]
    min: Option<u32>,
    /// Workers at most
    #[arg(long, value_name = "WORKERS", value_parser = clap::value_parser!(u32).range(0..=1_000))]
    max: Option<u32>,
    /// Workers at least while there is work
    #[arg(long, value_name = "WORKERS", value_parser = clap::value_parser!(u32).range(0..=1_000))]
    floor: Option<u32>,
    /// For how long fewer workers must have been enough before any are stopped, such as 90s or 2m
    #[arg(long, value_name = "SPAN", value_parser = cool_down)]
    cool_down: Option<Duration>,
    /// Ready jobs for which one more worker is started
    #[arg(long, value_name = "JOBS", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    jobs_per_worker: Option<u32>,
    /// Forget all that was set: the scaler's own limits hold again
    #[arg(long, conflicts_with_all = ["min", "max", "floor", "cool_down", "jobs_per_worker"])]
    reset: bool,
}

impl SetLimitsArgs {
    /// What is to be set; None: what was set is to be forgotten.
    pub fn limits(&self) -> Result<Option<FleetLimits>, CliError> {
        let SetLimitsArgs { min, max, floor, cool_down, jobs_per_worker, .. } = *self;
        let limits = FleetLimits { min, max, floor, cool_down, jobs_per_worker };
        if !self.reset && limits == FleetLimits::default() {
            return Err(CliError::Usage(
                "no limit is named: give --min, --max, --floor, --cool-down or --jobs-per-worker, or --reset for the \
                 scaler's own"
                    .into(),
            ));
        }
        Ok((!self.reset).then_some(limits))
    }
}

fn cool_down(text: &str) -> Result<Duration, String> {
    let span = span(text)?;
    if span > DAY { Err(format!("{text} is longer than a day: give at most 24h")) } else { Ok(span) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct SetLimits {
        #[command(flatten)]
        args: SetLimitsArgs,
    }

    fn parsed(line: &[&str]) -> Result<SetLimitsArgs, String> {
        let parsed = SetLimits::try_parse_from(["set-limits"].iter().chain(line));
        parsed.map(|command| command.args).map_err(|error| error.to_string())
    }

    #[test]
    fn only_what_is_named_is_set() {
        let args = parsed(&["genius", "--max", "2", "--cool-down", "2m"]).unwrap();
        let expected =
            FleetLimits { max: Some(2), cool_down: Some(Duration::from_secs(120)), ..FleetLimits::default() };
        assert_eq!((args.mode, args.limits().unwrap()), (Mode::Genius, Some(expected)));
        assert_eq!(parsed(&["mechanic", "--reset"]).unwrap().limits().unwrap(), None);
    }

    #[test]
    fn what_cannot_be_meant_is_answered_with_what_to_give() {
        let nothing = parsed(&["mechanic"]).unwrap().limits().unwrap_err();
        assert!(nothing.to_string().contains("--max") && nothing.exit_code() == 2, "{nothing}");
        let cases: [(&[&str], &str); 6] = [
            (&["wizard", "--max", "2"], "use one of mechanic, genius"),
            (&["mechanic", "--max", "1001"], "1001"),
            (&["mechanic", "--jobs-per-worker", "0"], "1..=1000"),
            (&["mechanic", "--cool-down", "90"], "for example 30m"),
            (&["mechanic", "--cool-down", "25h"], "at most 24h"),
            (&["mechanic", "--reset", "--min", "1"], "cannot be used with"),
        ];
        for (line, words) in cases {
            let error = parsed(line).unwrap_err();
            assert!(error.contains(words), "{line:?}: {error}");
        }
    }
}
