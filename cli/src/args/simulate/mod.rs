//! `simulate`: which jobs, which fleet, which ways of scaling.

mod fleet;
mod parse;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};
use domain::Mode;
use scaling::simulation::{Policy, Setup, Spread, TaskSize};

use fleet::Fleet;
use parse::{rate, share, some_time, spread, time};

/// `simulate`
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("jobs").required(true))]
pub struct SimulateArgs {
    /// Make up jobs that come at this rate, such as 100/d, 20/h, 3/m or 1/s
    #[arg(long, value_parser = rate, allow_hyphen_values = true, group = "jobs")]
    pub rate: Option<f64>,
    /// Take the jobs from a file of comma-separated values with the columns at, mode and duration_s, of which only the first is needed
    #[arg(long, value_name = "FILE.csv", group = "jobs")]
    pub trace: Option<PathBuf>,
    /// Take the jobs that the team had in the last so many days
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3_650), group = "jobs")]
    pub last: Option<u32>,
    /// Made-up jobs come for so long, such as 12h or 30d
    #[arg(long = "for", value_name = "SPAN", value_parser = some_time, allow_hyphen_values = true, default_value = "30d", conflicts_with_all = ["trace", "last"])]
    pub span: Duration,
    /// Another seed, other made-up jobs and starting times; the same seed, the same ones
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Only the fleet of this mode: mechanic or genius [default: both]
    #[arg(long)]
    pub mode: Option<Mode>,
    /// Of the made-up jobs, so many in a hundred are a genius's
    #[arg(long, value_name = "PERCENT", value_parser = share, allow_hyphen_values = true, default_value = "20", conflicts_with_all = ["trace", "last", "mode"])]
    pub genius_share: f64,
    /// A way of scaling: doorbell (this project's), keda or target-tracking. May be given several times [default: all]
    #[arg(long, value_delimiter = ',')]
    pub policy: Vec<Policy>,
    /// Draw workers, waiting jobs and waits into this file
    #[arg(long, value_name = "FILE.svg")]
    pub svg: Option<PathBuf>,
    /// Of the workers and waiting jobs, draw the busiest stretch of this length
    #[arg(long, value_name = "SPAN", value_parser = some_time, allow_hyphen_values = true, default_value = "6h", requires = "svg")]
    pub svg_span: Duration,
    #[command(flatten)]
    times: Times,
    #[command(flatten)]
    fleet: Fleet,
}

/// What takes how long.
#[derive(Debug, Args)]
#[command(next_help_heading = "Times (MEDIAN/P95: log-normal, one in twenty is longer than the second)")]
pub struct Times {
    /// How long a mechanic works on a job whose duration is not known
    #[arg(long, value_name = "MEDIAN/P95", value_parser = spread, allow_hyphen_values = true, default_value = "30s/55s")]
    mechanic_takes: Spread,
    /// How long a genius does
    #[arg(long, value_name = "MEDIAN/P95", value_parser = spread, allow_hyphen_values = true, default_value = "150s/280s")]
    genius_takes: Spread,
    /// From the call that asks for a task until its worker can claim a job
    #[arg(long, value_name = "MEDIAN/P95", value_parser = spread, allow_hyphen_values = true, default_value = "32s/45s")]
    start: Spread,
    /// Until a sleeping scaler has heard of a job
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true, default_value = "100ms")]
    hearing: Duration,
    /// From a decision until tasks are asked for, or told to stop
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true, default_value = "3s")]
    call: Duration,
}

impl SimulateArgs {
    /// The modes whose fleets are simulated.
    pub fn modes(&self) -> impl Iterator<Item = Mode> {
        Mode::ALL.iter().copied().filter(|mode| self.mode.is_none_or(|only| only == *mode))
    }

    /// The policies that are compared, each once.
    pub fn policies(&self) -> Vec<Policy> {
        let mut policies = if self.policy.is_empty() { Policy::ALL.to_vec() } else { self.policy.clone() };
        policies.sort_unstable();
        policies.dedup();
        policies
    }

    /// Of the made-up jobs a second, those of this mode.
    pub fn rate_of(&self, rate: f64, mode: Mode) -> f64 {
        match (self.mode, mode) {
            (Some(_), _) => rate,
            (None, Mode::Mechanic) => rate * (1.0 - self.genius_share),
            (None, Mode::Genius) => rate * self.genius_share,
        }
    }

    /// How long a job of this mode takes where that is not known.
    pub fn takes(&self, mode: Mode) -> Spread {
        match mode {
            Mode::Mechanic => self.times.mechanic_takes,
            Mode::Genius => self.times.genius_takes,
        }
    }

    /// A seed of the mode's own.
    pub fn seed_of(&self, mode: Mode) -> u64 {
        match mode {
            Mode::Mechanic => self.seed,
            Mode::Genius => !self.seed,
        }
    }

    /// The size of the mode's tasks.
    pub fn size(&self, mode: Mode) -> TaskSize {
        self.fleet.size(mode)
    }

    /// The mode's fleet.
    pub fn setup(&self, mode: Mode) -> Setup {
        Setup {
            limits: self.fleet.limits(mode),
            start: self.times.start,
            hearing: self.times.hearing,
            effect: self.times.call,
            seed: self.seed_of(mode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::builder::Resettable;
    use clap::{CommandFactory, FromArgMatches, Parser};
    use scaling::Limits;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        args: SimulateArgs,
    }

    fn parsed(line: &[&str]) -> Result<SimulateArgs, clap::Error> {
        // Whatever is set in the environment of whoever runs the test.
        let command = Command::command().mut_args(|arg| arg.env(Resettable::Reset));
        let matches = command.try_get_matches_from(["simulate"].iter().chain(line))?;
        Command::from_arg_matches(&matches).map(|command| command.args)
    }

    #[test]
    fn both_fleets_share_the_rate_and_one_alone_has_all_of_it() {
        let both = parsed(&["--rate", "100/s", "--genius-share", "25"]).unwrap();
        assert_eq!([Mode::Mechanic, Mode::Genius].map(|mode| both.rate_of(100.0, mode)), [75.0, 25.0]);
        let one = parsed(&["--rate", "100/s", "--mode", "genius"]).unwrap();
        assert_eq!(one.modes().collect::<Vec<_>>(), [Mode::Genius]);
        assert_eq!(one.rate_of(100.0, Mode::Genius), 100.0);
    }

    #[test]
    fn policies_are_compared_once_each_and_all_of_them_unless_some_are_named() {
        assert_eq!(parsed(&["--rate", "1/h"]).unwrap().policies(), Policy::ALL);
        let named = parsed(&["--rate", "1/h", "--policy", "keda,doorbell", "--policy", "keda"]).unwrap();
        assert_eq!(named.policies(), [Policy::Doorbell, Policy::Keda]);
    }

    #[test]
    fn each_mode_has_bounds_of_its_own_and_a_floor_above_its_maximum_is_the_maximum() {
        let line = ["--rate", "1/h", "--mechanic-min", "2", "--genius-max", "4", "--floor-while-busy", "6"];
        let args = parsed(&line).unwrap();
        let bounds = |mode| {
            let Limits { min, max, floor_while_busy: floor, .. } = args.setup(mode).limits;
            (min, max, floor)
        };
        assert_eq!((bounds(Mode::Mechanic), bounds(Mode::Genius)), ((2, 10, 6), (0, 4, 4)));
        assert_eq!(args.setup(Mode::Genius).limits.cool_down, Duration::from_secs(60));
    }

    #[test]
    fn the_scalers_variables_are_read() {
        let command = Command::command();
        let variables: Vec<&str> =
            command.get_arguments().filter_map(|arg| arg.get_env()?.to_str()).collect();
        let the_scalers = [
            "MECHANIC_MIN",
            "MECHANIC_MAX",
            "GENIUS_MIN",
            "GENIUS_MAX",
            "FLOOR_WHILE_BUSY",
            "COOL_DOWN_MS",
            "JOBS_PER_WORKER",
        ];
        assert_eq!(variables, the_scalers);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (line, words) in [
            (&[][..], "--rate"),
            (&["--rate", "1/h", "--trace", "x.csv"], "--trace"),
            (&["--rate", "1/h", "--policy", "cron"], "use one of doorbell, keda, target-tracking"),
            (&["--rate", "1/h", "--mechanic-max", "1001"], "0..=1000"),
            (&["--rate", "1/h", "--cool-down-ms", "86400001"], "0..=86400000"),
            (&["--rate", "1/h", "--svg-span", "1h"], "--svg"),
            (&["--rate", "-1/h"], "is no rate"),
            (&["--rate", "1/h", "--start", "-3s"], "never below zero"),
            (&["--rate", "1/h", "--for", "0s"], "above zero"),
        ] {
            let error = parsed(line).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(words), "{line:?}: {error}");
        }
    }
}
