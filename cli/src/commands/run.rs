//! `run`: one job to its end, with the team that is up on this home, or with one of its own for as long as it takes.

mod host;

use std::time::Duration;

use domain::NewJob;
use rehearsal::{Rehearsal, Script};
use serde_json::json;
use tokio::time::timeout;

use self::host::Host;
use super::outcome::JobResult;
use super::submit::look_at_repository;
use super::watch::{Seen, Watch};
use crate::args::RunArgs;
use crate::context::Context;
use crate::error::{CliError, JOB_FAILED};
use crate::out;
use crate::team::Plan;
use crate::view::live::Live;
use crate::view::text::{short, tail};

/// What every view of a rehearsal begins with.
pub const REHEARSAL: &str = "REHEARSAL · ";
/// A worker hears of a cancellation at once and stops its commands in a few seconds.
const CANCELLED_WITHIN: Duration = Duration::from_secs(30);

pub async fn execute(context: &Context, args: RunArgs) -> Result<u8, CliError> {
    let job = args.job.job()?;
    let script = args.rehearsal.as_deref().map(Script::load).transpose()?;
    let prepared = context.unless_interrupted(async {
        look_at_repository(&job).await?;
        let rehearsal = match script {
            Some(script) => Some(
                Rehearsal::start(script)
                    .await
                    .map_err(CliError::system("serve the rehearsal on 127.0.0.1"))?,
            ),
            None => None,
        };
        let plan = match &rehearsal {
            Some(rehearsal) => Plan::rehearsed(rehearsal.url()),
            None => {
                let keys = context.keys()?;
                keys.require_model_key()?;
                Plan::with(&keys)
            }
        };
        Ok((Host::find(context, &plan).await?, rehearsal))
    });
    let (mut host, rehearsal) = match prepared.await {
        // Nothing was submitted; the job that was asked for did not succeed.
        Err(CliError::Interrupted) => return Ok(JOB_FAILED),
        other => other?,
    };
    let done = work(context, &mut host, &job, args.job.steps(&job), rehearsal.is_some()).await;
    let stopped = host.stop(context).await;
    if let Some(rehearsal) = rehearsal {
        rehearsal.stop().await;
    }
    let (result, interrupted) = done?;
    if context.json {
        out::json(&json!(result));
    } else {
        let prefix = if args.rehearsal.is_some() { REHEARSAL } else { "" };
        out::note(&format!("{prefix}{}", result.headline()));
        result.print();
    }
    stopped?;
    Ok(if interrupted { JOB_FAILED } else { result.exit_code() })
}

/// Submits the job and watches it to its end; whether somebody interrupted it.
async fn work(
    context: &Context,
    host: &mut Host,
    job: &NewJob,
    steps: u32,
    is_rehearsal: bool,
) -> Result<(JobResult, bool), CliError> {
    let (prefix, database) = (if is_rehearsal { REHEARSAL } else { "" }, host.database());
    let id = database.submit(job).await?;
    let row = database.job(id).await?;
    out::note(&format!("{prefix}job {}: {} in {}", short(&id), job.task, tail(&job.repo)));
    let mut watch = Watch::new(database.clone(), &row, Live::new(prefix, out::note), steps);
    let (stop, now) = (context.shutdown.token(), context.shutdown.now());
    match watch.go_on(host.scaler(), stop).await? {
        Seen::End => Ok((watch.result().await?, false)),
        Seen::NoWorker(detail) => {
            database.cancel(id).await?;
            Err(CliError::NoWorker { detail, log: context.home.log() })
        }
        Seen::Stop => {
            out::note("cancelling the job; once more to stop at once");
            database.cancel(id).await?;
            if timeout(CANCELLED_WITHIN, watch.go_on(host.scaler(), now)).await.is_err() {
                out::note("the job's worker has not stopped yet: it will when it hears of it");
            }
            Ok((watch.result().await?, true))
        }
    }
}
