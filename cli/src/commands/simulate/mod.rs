//! `simulate`: what ways of scaling would mean for jobs as they were, or as they might be.

mod csv;
mod jobs;
#[cfg(test)]
mod worked_example;

use std::path::Path;
use std::time::{Duration, Instant};

use domain::Mode;
use scaling::simulation::{FARGATE_ARM, Policy, Report, Series, Trace, simulate};
use tokio::sync::oneshot;

use self::jobs::Recorded;
use crate::args::SimulateArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::view::simulation::{self, Compared, Fleet};

/// Steps of time in the picture: about one for each of its points.
const STEPS: usize = 800;

/// It works in a thread of its own, so that an interruption need not wait for it.
pub async fn execute(context: &Context, args: SimulateArgs) -> Result<(), CliError> {
    let recorded = jobs::recorded(context, &args).await?;
    let svg = args.svg.clone();
    let json = context.json;
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("simulation".into())
        .spawn(move || _ = sender.send(compare(&args, recorded)))
        .map_err(CliError::system("start a thread"))?;
    let gone = |_| CliError::Unable("the simulation broke off: please report what you asked for".into());
    let compared = receiver.await.map_err(gone)??;
    if let Some(path) = &svg {
        write(path, &simulation::picture(&compared))?;
    }
    if json {
        out::json(&simulation::json(&compared));
    } else {
        out::line(&simulation::table(&compared));
    }
    out::note(&simulation::note(&compared));
    Ok(())
}

/// The very same jobs, fleet by fleet, under each of the policies.
fn compare(args: &SimulateArgs, recorded: Option<Vec<Recorded>>) -> Result<Compared, CliError> {
    let began = Instant::now();
    let traces = jobs::traces(args, recorded)?;
    let made = Instant::now();
    let span = traces.iter().map(|(_, trace)| trace.span()).max().unwrap_or_default();
    let stretch = args.svg_span.min(span).max(Duration::from_secs(60));
    let all = traces.iter().flat_map(|(_, trace)| trace.jobs()).copied().collect();
    let from = args.svg.as_ref().map(|_| Trace::new(all, span).busiest(stretch)).unwrap_or_default();
    let mut fleets = Vec::new();
    let mut pictures = Vec::new();
    for policy in args.policies() {
        let mut picture: Option<Series> = None;
        for (mode, trace) in &traces {
            let mut series = Series::new(from, stretch, STEPS);
            fleets.push(fleet(args, policy, *mode, trace, &mut series)?);
            picture = Some(match picture {
                None => series,
                Some(other) => other.and(&series),
            });
        }
        pictures.extend(picture.map(|picture| (policy, picture)));
    }
    Ok(Compared {
        jobs: traces.iter().map(|(_, trace)| trace.jobs().len()).sum(),
        span,
        seed: args.seed,
        fleets: simulation::with_sums(fleets),
        pictures,
        made: made - began,
        simulated: made.elapsed(),
    })
}

fn fleet(
    args: &SimulateArgs,
    policy: Policy,
    mode: Mode,
    trace: &Trace,
    series: &mut Series,
) -> Result<Fleet, CliError> {
    let setup = args.setup(mode);
    // Whoever wants no picture need not pay for looking on.
    let report: Result<Report, _> = match args.svg {
        None => simulate(trace, &setup, policy, &mut ()),
        Some(_) => simulate(trace, &setup, policy, series),
    };
    let report = report.map_err(|error| CliError::Usage(format!("the {mode} fleet: {error}")))?;
    let month = FARGATE_ARM.month(&report, args.size(mode));
    Ok(Fleet { policy, mode: Some(mode), report, month })
}

fn write(path: &Path, picture: &str) -> Result<(), CliError> {
    std::fs::write(path, picture).map_err(|error| {
        CliError::Usage(format!(
            "the picture cannot be written to {}: {error}: name another file with --svg",
            path.display()
        ))
    })
}
