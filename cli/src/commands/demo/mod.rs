//! `demo`: one job from a sleeping team to a verified patch and back to sleep, in a temporary home, with everything shown.

mod asleep;
mod repo;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::{Event, EventRecord, JobState, NewJob, Outcome, Task};
use rehearsal::Rehearsal;
use serde_json::json;
use store::{Database, JobRow};
use tempfile::TempDir;

use super::outcome::JobResult;
use super::run::REHEARSAL;
use super::show::ledger;
use super::watch::{Seen, Watch};
use crate::args::DemoArgs;
use crate::context::Context;
use crate::error::{CliError, JOB_FAILED};
use crate::home::Home;
use crate::out;
use crate::team::{self, Plan, Taken, Team};
use crate::view::live::Live;
use crate::view::number::{between, span};
use crate::view::text::short;

const PROMPT: &str =
    "The discount on some invoices is a cent too small: `sh tests/run.sh` shows it. Find out why and fix it.";
const TEST_COMMAND: &str = "sh tests/run.sh";
/// How long an idle fleet stays, in milliseconds: a demo is watched.
const COOL_DOWN_MS: &str = "1000";
/// Between a question and its prepared answer, so that a person can follow.
const PACE: Duration = Duration::from_millis(300);

pub async fn execute(context: &Context, args: DemoArgs) -> Result<u8, CliError> {
    let folder = temporary_folder().map_err(CliError::system("make a temporary folder"))?;
    let stage = Stage { json: context.json, prefix: if args.rehearsal { REHEARSAL } else { "" } };
    let rehearsal = match args.rehearsal {
        true => Some(rehearse().await?),
        false => None,
    };
    let mut plan = match &rehearsal {
        Some(rehearsal) => Plan::rehearsed(rehearsal.url()),
        None => {
            let keys = context.keys()?;
            keys.require_model_key()?;
            Plan { database_url: None, ..Plan::with(&keys) }
        }
    };
    plan.settings.push(("COOL_DOWN_MS", COOL_DOWN_MS.to_owned()));
    plan.throwaway = true;
    let repo = folder.path().join("invoice");
    let shown = context.unless_interrupted(async {
        stage.say(&format!(
            "codeteam {}: a job from a sleeping team to a verified patch",
            env!("CARGO_PKG_VERSION")
        ));
        if args.rehearsal {
            stage.say(
                "REHEARSAL: every answer was written beforehand, and no model is asked. The rest is real.",
            );
        }
        stage.part("1. A repository with a failing test");
        repo::make(&repo).await?;
        stage.say(&format!(
            "$ cd {} && {TEST_COMMAND}\n{}",
            repo.display(),
            repo::test(&repo, TEST_COMMAND).await?
        ));
        stage.part("2. A team, asleep");
        start(&folder, &plan).await
    });
    let (mut team, database) = match shown.await {
        Err(CliError::Interrupted) => return Ok(JOB_FAILED),
        other => other?,
    };
    let done = play(context, &stage, &mut team, &database, &job(&repo, args.model)).await;
    drop(database);
    let stopped = team.stop(&context.shutdown).await;
    if let Some(rehearsal) = rehearsal {
        rehearsal.stop().await;
    }
    let path = folder.path().to_owned();
    folder.close().map_err(CliError::folder("remove", path))?;
    stopped?;
    done
}

/// Closed to others; but root's database server runs as somebody else, who must be able to pass through.
fn temporary_folder() -> std::io::Result<TempDir> {
    let mode = if nix::unistd::geteuid().is_root() { 0o711 } else { 0o700 };
    let permissions = std::fs::Permissions::from_mode(mode);
    tempfile::Builder::new().prefix("codeteam-demo-").permissions(permissions).tempdir()
}

async fn rehearse() -> Result<Rehearsal, CliError> {
    let pace = if out::stdout_is_terminal() { PACE } else { Duration::ZERO };
    let rehearsal = Rehearsal::start_paced(rehearsal::demo::script()?, pace).await;
    rehearsal.map_err(CliError::system("serve the rehearsal on 127.0.0.1"))
}

async fn start(folder: &TempDir, plan: &Plan) -> Result<(Team, Arc<Database>), CliError> {
    let home = Home::choose(Some(&folder.path().join("home")))?;
    match team::take(&home, "demo")? {
        Taken::Mine(lock) => Team::start(&home, lock, plan).await,
        Taken::Theirs(holder) => Err(team::in_use(&home, holder)),
    }
}

fn job(repo: &Path, model: Option<String>) -> NewJob {
    NewJob {
        test_command: Some(TEST_COMMAND.to_owned()),
        model: model.filter(|model| !model.is_empty()),
        ..NewJob::new(Task::BugFix, repo.display().to_string(), PROMPT)
    }
}

/// From the sleeping team to the sleeping team.
async fn play(
    context: &Context,
    stage: &Stage,
    team: &mut Team,
    database: &Arc<Database>,
    job: &NewJob,
) -> Result<u8, CliError> {
    let stop = context.shutdown.token();
    stage.say(&format!("PostgreSQL and the scaler are up; workers: {}", database.workers().await?.len()));
    stage.part("3. A job wakes it");
    let row = database.job(database.submit(job).await?).await?;
    stage.say(&format!("submitted job {}: {}", short(&row.id), job.prompt));
    let live = Live::new(stage.prefix, if stage.json { |_| {} } else { |line| _ = out::line(line) });
    let steps = domain::Caps::of(job.mode).steps;
    let mut watch = Watch::new(database.clone(), &row, live, steps);
    match watch.go_on(Some(&mut team.scaler), stop).await? {
        Seen::End => {}
        Seen::Stop => return Ok(JOB_FAILED),
        Seen::NoWorker(detail) => {
            return Err(CliError::Unable(format!("no worker comes up: {detail}")));
        }
    }
    let woke = woke_after(&row, &watch.seen);
    let result = watch.result().await?;
    stage.part("4. The result");
    stage.result(&result, woke);
    stage.part("5. The ledger, to the micro-dollar");
    stage.say(&ledger(&database.calls(row.id).await?));
    stage.part("6. Asleep again");
    let asleep = tokio::select! {
        asleep = asleep::wait(database) => asleep?,
        () = stop.cancelled() => return Ok(JOB_FAILED),
    };
    stage.say(&match asleep {
        Some(after) => {
            format!("the scaler took the fleet back to 0 workers {} after the job's end", span(after))
        }
        None => "the fleet is NOT back at 0 workers".to_owned(),
    });
    let verified = result.state == JobState::Succeeded && result.outcome == Some(Outcome::Verified);
    if stage.json {
        let woke_ms = woke.map(|woke| woke.as_millis());
        let slept_ms = asleep.map(|after| after.as_millis());
        out::json(&json!({
            "rehearsal": !stage.prefix.is_empty(), "result": result, "woke_after_ms": woke_ms, "asleep_after_ms": slept_ms,
        }));
    }
    Ok(if verified && asleep.is_some() { 0 } else { JOB_FAILED })
}

/// From the job's commit to its claim, by the database's clock.
fn woke_after(job: &JobRow, events: &[EventRecord]) -> Option<Duration> {
    let claimed = events.iter().find(|record| matches!(record.event, Event::Claimed { .. }))?;
    Some(between(job.created_at, claimed.at))
}

/// Where the demo is shown. With `--json` only the end is.
struct Stage {
    json: bool,
    prefix: &'static str,
}

impl Stage {
    fn say(&self, text: &str) {
        if !self.json {
            out::line(text);
        }
    }

    fn part(&self, title: &str) {
        let title =
            if out::stdout_takes_colour() { format!("\x1b[1m{title}\x1b[0m") } else { title.to_owned() };
        self.say(&format!("\n{title}"));
    }

    fn result(&self, result: &JobResult, woke: Option<Duration>) {
        if self.json {
            return;
        }
        result.print();
        if let Some(woke) = woke {
            self.say(&format!("\na worker was awake and had the job {} after its submission", span(woke)));
        }
        self.say(&format!("{}{}", self.prefix, result.headline()));
    }
}
