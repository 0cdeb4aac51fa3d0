//! `jobs`: a list of jobs, newest first, and how many there are in all.

use domain::{JobState, Outcome};
use jiff::Timestamp;
use store::{Counts, JobFilter, JobRow};

use crate::args::JobsArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};
use crate::view::number::{age, count};
use crate::view::table::table;
use crate::view::text::{short, tail};

pub async fn execute(context: &Context, args: JobsArgs) -> Result<(), CliError> {
    Access::with(context, "jobs", Absent::Refuse, async |access| {
        let before = match &args.below {
            Some(prefix) => {
                let job = access.database.job(access.database.find_job(prefix).await?).await?;
                Some((job.created_at, job.id))
            }
            None => None,
        };
        let filter = JobFilter { state: args.state, mode: args.mode, before, ..JobFilter::default() };
        let jobs = access.database.jobs(filter, args.limit).await?;
        if context.json {
            out::json(&jobs);
            return Ok(());
        }
        match jobs.as_slice() {
            [] => out::note("there is no such job"),
            [.., last] => {
                out::line(&list(&jobs, Timestamp::now()));
                if i64::try_from(jobs.len()) == Ok(args.limit) {
                    out::note(&format!("what stands below: --below {}", short(&last.id)));
                }
            }
        }
        out::note(&totals(&access.database.counts().await?));
        Ok(())
    })
    .await
}

/// `in all: 3 queued, over 10000 succeeded`.
fn totals(counts: &Counts) -> String {
    let states = JobState::ALL.iter().map(|&state| (state, counts.of(state)));
    let there: Vec<_> =
        states.filter(|(_, n)| !n.is_zero()).map(|(state, n)| format!("{n} {state}")).collect();
    if there.is_empty() { "in all: none".to_owned() } else { format!("in all: {}", there.join(", ")) }
}

fn list(jobs: &[JobRow], now: Timestamp) -> String {
    let row = |job: &JobRow| {
        vec![
            short(&job.id),
            if job.budget_stop.is_some() { "waits: budget".into() } else { job.state.to_string() },
            job.outcome.filter(|outcome| *outcome != Outcome::None).map_or("-".into(), |o| o.to_string()),
            job.mode.to_string(),
            job.task.to_string(),
            tail(&job.repo),
            age(job.created_at, now),
            job.steps.to_string(),
            count(job.usage.full_rate()),
            job.cost.to_string(),
        ]
    };
    let headings = ["id", "state", "outcome", "mode", "task", "repo", "age", "steps", "tokens", "cost"];
    table(&headings, &[6, 7, 8, 9], jobs.iter().map(row))
}
