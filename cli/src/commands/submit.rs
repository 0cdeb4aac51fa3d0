//! `submit`: a job goes into the queue.

use std::time::Duration;

use domain::NewJob;
use jiff::Timestamp;
use serde_json::json;
use tokio::time::Instant;

use crate::args::SubmitArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};
use crate::view::text::short;

/// How long a repository elsewhere may take to answer.
const PROBE_WITHIN: Duration = Duration::from_secs(30);

pub async fn execute(context: &Context, args: SubmitArgs) -> Result<(), CliError> {
    let mut job = args.job.job()?;
    job.queueing = args.queueing.queueing(Vec::new(), Timestamp::now())?;
    job.check()?;
    if !args.no_check {
        look_at_repository(&job).await?;
    }
    Access::with(context, "submit", Absent::Make, async |access| {
        let mut job = job;
        for id in &args.queueing.after {
            job.queueing.after.push(access.database.find_job(id).await?);
        }
        job.check()?;
        let id = access.database.submit(&job).await?;
        if context.json {
            out::json(&json!({"id": id}));
        } else {
            out::line(&id.to_string());
            let then = if access.is_alone() {
                "it waits for `codeteam up`".to_owned()
            } else {
                format!("follow it with `codeteam logs --follow {}`", short(&id))
            };
            out::note(&format!("submitted; {then}"));
        }
        Ok(())
    })
    .await
}

/// Sees that the repository and its base are there, so that a typing error costs no attempt.
pub async fn look_at_repository(job: &NewJob) -> Result<(), CliError> {
    forge::probe(&job.repo, job.base.as_deref(), Instant::now() + PROBE_WITHIN).await?;
    Ok(())
}
