//! `jobs`: a list of jobs, newest first.

use domain::Outcome;
use jiff::Timestamp;
use store::{JobFilter, JobRow};

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
        let filter = JobFilter { state: args.state, id: None };
        let jobs = access.database.jobs(filter, args.limit).await?;
        if context.json {
            out::json(&jobs);
        } else if jobs.is_empty() {
            out::note("there is no such job");
        } else {
            out::line(&list(&jobs, Timestamp::now()));
        }
        Ok(())
    })
    .await
}

fn list(jobs: &[JobRow], now: Timestamp) -> String {
    let row = |job: &JobRow| {
        vec![
            short(&job.id),
            job.state.to_string(),
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
