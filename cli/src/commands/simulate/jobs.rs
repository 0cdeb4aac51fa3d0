//! Where the jobs of a simulation come from.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use domain::Mode;
use scaling::simulation::{Job, MOST_JOBS, Trace, Workload, WorkloadError};

use super::csv::{self, Row};
use crate::args::SimulateArgs;
use crate::error::CliError;

/// The jobs of each mode that has any.
pub fn traces(args: &SimulateArgs) -> Result<Vec<(Mode, Trace)>, CliError> {
    let usage = |error: WorkloadError| CliError::Usage(error.to_string());
    match (&args.trace, args.rate) {
        (Some(path), _) => recorded(args, path),
        (None, Some(rate)) => made_up(args, rate).map_err(usage),
        (None, None) => Err(CliError::Usage("say which jobs: give --rate or --trace".into())),
    }
}

fn made_up(args: &SimulateArgs, rate: f64) -> Result<Vec<(Mode, Trace)>, WorkloadError> {
    let with_jobs = args.modes().filter(|&mode| args.rate_of(rate, mode) > 0.0);
    let trace = |mode| {
        let workload = Workload {
            per_second: args.rate_of(rate, mode),
            span: args.span,
            takes: args.takes(mode),
            seed: args.seed_of(mode),
        };
        Ok((mode, workload.trace()?))
    };
    with_jobs.map(trace).collect()
}

fn recorded(args: &SimulateArgs, path: &Path) -> Result<Vec<(Mode, Trace)>, CliError> {
    let usage = |what: String| CliError::Usage(format!("{}: {what}", path.display()));
    let file = File::open(path)
        .map_err(|error| usage(format!("it cannot be opened: {error}: name another file with --trace")))?;
    let rows = csv::read(BufReader::new(file), MOST_JOBS).map_err(usage)?;
    let traces: Vec<_> = args.modes().filter_map(|mode| of_mode(args, &rows, mode)).collect();
    if traces.is_empty() {
        return Err(usage("it has no job of that mode: name the other one with --mode".into()));
    }
    Ok(traces)
}

/// A job whose mode is not known is one of the mode that was asked for, else a mechanic's. Durations that are not known are drawn.
fn of_mode(args: &SimulateArgs, rows: &[Row], mode: Mode) -> Option<(Mode, Trace)> {
    let unknown = args.mode.unwrap_or(Mode::Mechanic);
    let mut drawn = args.takes(mode).draws(args.seed_of(mode));
    let span = rows.iter().map(|row| row.at).max()?;
    let of_mode = rows.iter().filter(|row| row.mode.unwrap_or(unknown) == mode);
    let jobs: Vec<Job> = of_mode
        .filter_map(|row| Some(Job { at: row.at, takes: row.takes.or_else(|| drawn.next())? }))
        .collect();
    (!jobs.is_empty()).then(|| (mode, Trace::new(jobs, span)))
}
