//! `eval`: a corpus of small jobs, done by a team of its own in a temporary home, judged by what was delivered.

mod score;
mod shown;

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use corpus::Case;
use domain::{EventRecord, JobId};
use rehearsal::Rehearsal;
use service::{Name, SecretString};
use store::{Database, ReadEvents};
use tempfile::TempDir;
use tokio::time::Instant;

use self::score::{Evaluation, Score, Skipped};
use super::logs::is_end;
use crate::args::EvalArgs;
use crate::context::Context;
use crate::error::{CliError, JOB_FAILED};
use crate::home::Home;
use crate::out;
use crate::team::{self, Plan, Scaler, Taken, Team};

pub async fn execute(context: &Context, args: EvalArgs) -> Result<u8, CliError> {
    let model = args.model.as_deref().filter(|model| !model.is_empty());
    if let Some(model) = model {
        models::check(model)?;
    }
    let path = corpus::path_for_commands(std::env::var_os("PATH"));
    let (cases, skipped) = able(chosen(&args)?, &path, args.rehearse);
    if cases.is_empty() {
        let why: Vec<String> =
            skipped.iter().map(|skipped| format!("{}: {}", skipped.case, skipped.why)).collect();
        return Err(CliError::Unable(format!("no case can be done here: {}", why.join("; "))));
    }
    let began = Instant::now();
    let folder = temporary_folder().map_err(CliError::system("make a temporary folder"))?;
    let rehearsal = match args.rehearse {
        true => {
            let started = Rehearsal::start(corpus::repertoire(&cases)).await;
            Some(started.map_err(CliError::system("serve the rehearsals on 127.0.0.1"))?)
        }
        false => None,
    };
    let plan = plan(context, &args, rehearsal.as_ref(), &path)?;
    let prepared = context.unless_interrupted(async {
        let repositories = make(&cases, folder.path()).await?;
        Ok((start(&folder, &plan).await?, repositories))
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

fn chosen(args: &EvalArgs) -> Result<Vec<Case>, CliError> {
    let cases = match &args.corpus {
        Some(folder) => corpus::of_folder(folder)?,
        None => corpus::built_in()?,
    };
    Ok(corpus::select(cases, &args.cases)?)
}

/// The cases that can be done on this machine, and why the others cannot.
fn able(cases: Vec<Case>, path: &OsString, rehearse: bool) -> (Vec<Case>, Vec<Skipped>) {
    let as_root = nix::unistd::geteuid().is_root();
    let (mut able, mut skipped) = (Vec::new(), Vec::new());
    for case in cases {
        let missing = corpus::missing(&case.needs, path, as_root);
        let why = match (missing.is_empty(), rehearse && case.rehearsal.is_none()) {
            (false, _) => format!(
                "commands do not find {}: install it where every user can run it",
                missing.join(" and ")
            ),
            (true, true) => "it has no rehearsal.json to play".to_owned(),
            (true, false) => {
                able.push(case);
                continue;
            }
        };
        out::note(&format!("left out: {}: {why}", case.name));
        skipped.push(Skipped { case: case.name, why });
    }
    (able, skipped)
}

fn plan(
    context: &Context,
    args: &EvalArgs,
    rehearsal: Option<&Rehearsal>,
    path: &OsString,
) -> Result<Plan, CliError> {
    let mut plan = match rehearsal {
        Some(rehearsal) => {
            let mut plan = Plan::rehearsed(rehearsal.url());
            plan.keys = [Name::AnthropicApiKey, Name::OpenaiApiKey, Name::GoogleApiKey]
                .map(|name| (name, SecretString::from("no-key-is-needed")))
                .into();
            plan.settings.push(("OPENAI_BASE_URL", rehearsal.openai_url()));
            plan.settings.push(("GEMINI_BASE_URL", rehearsal.url()));
            plan
        }
        None => {
            let keys = context.keys()?;
            keys.require_model_key()?;
            Plan { database_url: None, ..Plan::with(&keys) }
        }
    };
    plan.throwaway = true;
    plan.settings.push(("MECHANIC_MAX", args.parallel.to_string()));
    plan.settings.push(("GENIUS_MAX", args.parallel.to_string()));
    if let Some(path) = path.to_str() {
        plan.settings.push(("PATH", path.to_owned()));
    }
    Ok(plan)
}

/// Closed to others; but root's database server and commands run as somebody else, who must be able to pass through.
fn temporary_folder() -> std::io::Result<TempDir> {
    let mode = if nix::unistd::geteuid().is_root() { 0o711 } else { 0o700 };
    let permissions = std::fs::Permissions::from_mode(mode);
    tempfile::Builder::new().prefix("codeteam-eval-").permissions(permissions).tempdir()
}

/// The cases' repositories, each in a folder of its own.
async fn make(cases: &[Case], folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let (cases, folder) = (cases.to_vec(), folder.join("repositories"));
    let made = tokio::task::spawn_blocking(move || {
        let make = |case: &Case| {
            let path = folder.join(&case.name);
            corpus::make(case, &path).map(|()| path)
        };
        cases.iter().map(make).collect::<Result<Vec<_>, _>>()
    });
    let made =
        made.await.map_err(|error| CliError::Unable(format!("the repositories were not made: {error}")))?;
    Ok(made?)
}

async fn start(folder: &TempDir, plan: &Plan) -> Result<(Team, Arc<Database>), CliError> {
    let home = Home::choose(Some(&folder.path().join("home")))?;
    match team::take(&home, "eval")? {
        Taken::Mine(lock) => Team::start(&home, lock, plan).await,
        Taken::Theirs(holder) => Err(team::in_use(&home, holder)),
    }
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
