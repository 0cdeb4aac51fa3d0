//! `eval`: a corpus of small jobs, done by a team of its own in a temporary home, judged by what was delivered.

mod score;
mod setup;
mod shown;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use corpus::Case;
use domain::{EventRecord, JobId};
use rehearsal::Rehearsal;
use store::{Database, ReadEvents};
use tokio::time::Instant;

use self::score::{Evaluation, Score};
use super::logs::is_end;
use crate::args::EvalArgs;
use crate::context::Context;
use crate::error::{CliError, JOB_FAILED};
use crate::out;
use crate::team::{Scaler, Team};

pub async fn execute(context: &Context, args: EvalArgs) -> Result<u8, CliError> {
    let model = args.model.as_deref().filter(|model| !model.is_empty());
    if let Some(model) = model {
        models::check(model)?;
    }
    let path = corpus::path_for_commands(std::env::var_os("PATH"));
    let (cases, skipped) = setup::able(setup::chosen(&args)?, &path, args.rehearse);
    if cases.is_empty() {
        let why: Vec<String> =
            skipped.iter().map(|skipped| format!("{}: {}", skipped.case, skipped.why)).collect();
        return Err(CliError::Unable(format!("no case can be done here: {}", why.join("; "))));
    }
    let began = Instant::now();
    let folder = setup::temporary_folder().map_err(CliError::system("make a temporary folder"))?;
    let rehearsal = match args.rehearse {
        true => {
            let started = Rehearsal::start(corpus::repertoire(&cases)).await;
            Some(started.map_err(CliError::system("serve the rehearsals on 127.0.0.1"))?)
        }
        false => None,
    };
    let plan = setup::plan(context, &args, rehearsal.as_ref(), &path)?;
    let prepared = context.unless_interrupted(async {
        let repositories = setup::make(&cases, folder.path()).await?;
        Ok((setup::start(&folder, &plan).await?, repositories))
    });
    let ((mut team, database), repositories) = match prepared.await {
        Err(CliError::Interrupted) => return Ok(JOB_FAILED),
        other => other?,
    };
    let done = work(context, &mut team, &database, (&cases, &repositories), model).await;
    drop(database);
    let stopped = team.stop(&context.shutdown).await;
    if let Some(rehearsal) = rehearsal {
        rehearsal.stop().await;
    }
    let home = folder.path().to_owned();
    folder.close().map_err(CliError::folder("remove", home))?;
    let Some(scores) = done? else { return Ok(JOB_FAILED) };
    stopped?;
    let evaluation = Evaluation::of(args.rehearse, scores, skipped, began.elapsed());
    if context.json {
        out::json(&evaluation);
    } else {
        out::line(&shown::table(&evaluation));
    }
    Ok(if evaluation.is_solved() { 0 } else { JOB_FAILED })
}

/// Has all cases done; None when somebody interrupted it.
async fn work(
    context: &Context,
    team: &mut Team,
    database: &Arc<Database>,
    (cases, repositories): (&[Case], &[PathBuf]),
    model: Option<&str>,
) -> Result<Option<Vec<Score>>, CliError> {
    let jobs: Vec<_> = cases.iter().zip(repositories).map(|(case, path)| case.job(path, model)).collect();
    let mut ids = Vec::new();
    for job in &jobs {
        ids.push(database.submit(job).await?);
    }
    let mut scores = Vec::new();
    for (case, id) in cases.iter().zip(ids) {
        let events = tokio::select! {
            events = finished(database, id) => events?,
            hopeless = hopeless(&mut team.scaler) => {
                return Err(CliError::Unable(format!("no worker comes up: {hopeless}")));
            }
            () = context.shutdown.token().cancelled() => return Ok(None),
        };
        let score = Score::of(case, &database.job(id).await?, &events);
        out::note(&shown::progress(&score, scores.len() + 1, cases.len()));
        scores.push(score);
    }
    Ok(Some(scores))
}

/// The events of a job, when it has ended.
async fn finished(database: &Arc<Database>, id: JobId) -> Result<Vec<EventRecord>, CliError> {
    let mut reader = ReadEvents::new(database.clone(), id, 0);
    let mut events = Vec::new();
    loop {
        let batch = reader.next().await?;
        let ended = is_end(&batch);
        events.extend(batch);
        if ended {
            reader.close().await?;
            return Ok(events);
        }
    }
}

/// Waits for trouble that nobody mends.
async fn hopeless(scaler: &mut Scaler) -> String {
    loop {
        let trouble = scaler.trouble().await;
        if trouble.is_hopeless() {
            return trouble.message().to_owned();
        }
        out::note(trouble.message());
    }
}

/// Milliseconds, as far as a number has room for them.
fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
