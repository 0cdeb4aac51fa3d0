//! Where the jobs of a simulation come from.

use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::Duration;

use domain::Mode;
use scaling::simulation::{Job, MOST_JOBS, Trace, Workload, WorkloadError};

use super::csv;
use crate::args::SimulateArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::team::access::{Absent, Access};
use crate::view::number::between;

/// Jobs that are taken of each state and mode from a database, the newest: what it can be asked for in one statement.
const MOST_OF_A_KIND: u32 = 200_000;

/// A job as a file or a database has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recorded {
    /// When it was ready, since the first one was.
    pub at: Duration,
    /// None: it is not said.
    pub mode: Option<Mode>,
    /// For how long it was worked on. None: it is not said.
    pub takes: Option<Duration>,
}

/// The jobs of the past; None: they are to be made up.
pub async fn recorded(context: &Context, args: &SimulateArgs) -> Result<Option<Vec<Recorded>>, CliError> {
    if let Some(path) = &args.trace {
        return of_file(path).map(Some);
    }
    let Some(days) = args.last else { return Ok(None) };
    let jobs = Access::with(context, "simulate", Absent::Refuse, async |access| {
        Ok(access.database.past_jobs(days, MOST_OF_A_KIND).await?)
    })
    .await?;
    let Some(first) = jobs.iter().map(|job| job.ready_at).min() else {
        return Err(CliError::Usage(format!(
            "there was no job in the last {days} days: give more days, or make jobs up with --rate"
        )));
    };
    let recorded = jobs.iter().map(|job| Recorded {
        at: between(first, job.ready_at),
        mode: Some(job.mode),
        takes: job.worked,
    });
    Ok(Some(recorded.collect()))
}

fn of_file(path: &Path) -> Result<Vec<Recorded>, CliError> {
    let usage = |what: String| CliError::Usage(format!("{}: {what}", path.display()));
    let file = File::open(path)
        .map_err(|error| usage(format!("it cannot be opened: {error}: name another file with --trace")))?;
    let kind = file.metadata().map(|metadata| metadata.file_type());
    if kind.is_ok_and(|kind| kind.is_char_device() || kind.is_block_device()) {
        return Err(usage("it is a device: name a file, or a pipe".into()));
    }
    csv::read(BufReader::new(file), MOST_JOBS).map_err(usage)
}

/// The jobs of each mode that has any.
pub fn traces(args: &SimulateArgs, recorded: Option<Vec<Recorded>>) -> Result<Vec<(Mode, Trace)>, CliError> {
    let traces: Vec<(Mode, Trace)> = match (recorded, args.rate) {
        (Some(recorded), _) => args.modes().filter_map(|mode| of_mode(args, &recorded, mode)).collect(),
        (None, rate) => made_up(args, rate.unwrap_or_default())
            .map_err(|error: WorkloadError| CliError::Usage(error.to_string()))?,
    };
    if traces.is_empty() {
        return Err(CliError::Usage(
            "none of the jobs is of that mode: name the other one with --mode".into(),
        ));
    }
    Ok(traces)
}

fn made_up(args: &SimulateArgs, rate: f64) -> Result<Vec<(Mode, Trace)>, WorkloadError> {
    let with_jobs = args.modes().filter(|&mode| rate == 0.0 || args.rate_of(rate, mode) > 0.0);
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

/// A job whose mode is not known is one of the mode that was asked for, else a mechanic's. Durations that are not known are drawn.
fn of_mode(args: &SimulateArgs, recorded: &[Recorded], mode: Mode) -> Option<(Mode, Trace)> {
    let unknown = args.mode.unwrap_or(Mode::Mechanic);
    let mut drawn = args.takes(mode).draws(args.seed_of(mode));
    let span = recorded.iter().map(|job| job.at).max()?;
    let of_mode = recorded.iter().filter(|job| job.mode.unwrap_or(unknown) == mode);
    let jobs: Vec<Job> = of_mode
        .filter_map(|job| Some(Job { at: job.at, takes: job.takes.or_else(|| drawn.next())? }))
        .collect();
    (!jobs.is_empty()).then(|| (mode, Trace::new(jobs, span)))
}
