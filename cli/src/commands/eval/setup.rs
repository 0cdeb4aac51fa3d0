//! Before the first case: which of them are done, their repositories, and the team.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use corpus::Case;
use rehearsal::Rehearsal;
use service::{Name, SecretString};
use store::Database;
use tempfile::TempDir;

use super::score::Skipped;
use crate::args::EvalArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::home::Home;
use crate::out;
use crate::team::{self, Plan, Taken, Team};

/// The cases that were asked for.
pub fn chosen(args: &EvalArgs) -> Result<Vec<Case>, CliError> {
    let cases = match &args.corpus {
        Some(folder) => corpus::of_folder(folder)?,
        None => corpus::built_in()?,
    };
    Ok(corpus::select(cases, &args.cases)?)
}

/// The cases that can be done on this machine, and why the others cannot.
pub fn able(cases: Vec<Case>, path: &OsString, rehearse: bool) -> (Vec<Case>, Vec<Skipped>) {
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

pub fn plan(
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
pub fn temporary_folder() -> std::io::Result<TempDir> {
    let mode = if nix::unistd::geteuid().is_root() { 0o711 } else { 0o700 };
    let permissions = std::fs::Permissions::from_mode(mode);
    tempfile::Builder::new().prefix("codeteam-eval-").permissions(permissions).tempdir()
}

/// The cases' repositories, each in a folder of its own.
pub async fn make(cases: &[Case], folder: &Path) -> Result<Vec<PathBuf>, CliError> {
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

pub async fn start(folder: &TempDir, plan: &Plan) -> Result<(Team, Arc<Database>), CliError> {
    let home = Home::choose(Some(&folder.path().join("home")))?;
    match team::take(&home, "eval")? {
        Taken::Mine(lock) => Team::start(&home, lock, plan).await,
        Taken::Theirs(holder) => Err(team::in_use(&home, holder)),
    }
}
