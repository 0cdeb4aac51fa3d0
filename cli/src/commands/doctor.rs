//! `doctor`: is everything there that a team needs? A mark and a sentence for each thing.

use std::process::Stdio;
use std::sync::Arc;

use domain::Mode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use models::{Provider, retirement};
use serde::Serialize;
use service::{ExposeSecret, exit};
use store::{Config, Database};
use tokio::process::Command;

use crate::context::Context;
use crate::error::{CliError, JOB_FAILED};
use crate::keys::Keys;
use crate::out;
use crate::programs;
use crate::team::access::Access;
use crate::view::scale::lead::Lead;

/// The oldest git that the workers can use.
const GIT: (u32, u32) = (2, 32);

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    /// It is well today, and will not stay so.
    warns: bool,
    says: String,
}

pub async fn execute(context: &Context) -> Result<u8, CliError> {
    let keys = context.keys();
    let reached = reach(context, keys.as_ref().ok()).await;
    let mut checks = vec![
        check("postgresql", postgresql(keys.as_ref().ok())),
        check("git", git().await),
        check("scaler", program("scaler")),
        check("worker", program("worker")),
        check("sandbox", sandbox().await),
        check("home", home(context)),
    ];
    let scaling = match &reached {
        Ok(Reached { database: Some(database), team_is_up, .. }) => {
            Some(scaling(database, *team_is_up).await)
        }
        _ => None,
    };
    checks.push(check("database", reached.map(|reached| reached.says.into())));
    checks.extend(scaling.map(|found| check("scaling", found)));
    match keys {
        Ok(keys) => {
            checks.push(check("secrets", Ok(secrets(&keys))));
            checks.push(check("model key", model_key(&keys)));
            checks.extend(models(&keys, Timestamp::now()));
        }
        Err(error) => checks.push(check("secrets", Err(error))),
    }
    if context.json {
        out::json(&checks);
    } else {
        for Check { name, ok, warns, says } in &checks {
            let mark = match (ok, warns) {
                (false, _) => "✗",
                (true, true) => "!",
                (true, false) => "✓",
            };
            out::line(&format!("{mark} {name:<11} {says}"));
        }
    }
    Ok(if checks.iter().all(|check| check.ok) { 0 } else { JOB_FAILED })
}

fn check(name: &'static str, found: Result<String, CliError>) -> Check {
    let ok = found.is_ok();
    let says = found.unwrap_or_else(|error| exit::one_line(&error));
    Check { name, ok, warns: false, says: domain::clean(&says) }
}

fn postgresql(keys: Option<&Keys>) -> Result<String, CliError> {
    if keys.is_some_and(|keys| keys.database_url().is_some()) {
        return Ok("not needed here: DATABASE_URL names a database".into());
    }
    let found = embedded::find()?;
    Ok(format!("version {} in {}", found.major, found.dir.display()))
}

async fn git() -> Result<String, CliError> {
    let output = Command::new("git").arg("--version").stdin(Stdio::null()).output().await;
    let output = output.map_err(|_| forge::ForgeError::GitMissing)?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match version(&said) {
        Some(version) if version >= GIT => Ok(said),
        _ => Err(forge::ForgeError::GitTooOld { found: said }.into()),
    }
}

/// (2, 39) of `git version 2.39.5 (Apple Git-154)`.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn program(name: &'static str) -> Result<String, CliError> {
    programs::find(name).map(|path| path.display().to_string())
}

async fn sandbox() -> Result<String, CliError> {
    let worker = programs::find("worker")?;
    let output = Command::new(worker)
        .arg("sandbox-check")
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(CliError::system("run the worker's sandbox check"))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(format!("commands of strangers are confined at the level {}", said(&output.stdout)))
    } else {
        Err(CliError::Unable(said(&output.stderr)))
    }
}

fn home(context: &Context) -> Result<String, CliError> {
    context.home.make()?;
    let path = context.home.path();
    tempfile::tempfile_in(path).map_err(CliError::folder("write to", path))?;
    Ok(format!("{} can be written", path.display()))
}

/// The database, as far as it could be reached without starting one.
struct Reached {
    database: Option<Arc<Database>>,
    /// A team runs on the home, with a scaler and workers of its own.
    team_is_up: bool,
    says: &'static str,
}

async fn reach(context: &Context, keys: Option<&Keys>) -> Result<Reached, CliError> {
    let running = Access::to_running(context).await;
    let team_is_up = matches!(running, Ok(Some(_)));
    if let Some(url) = keys.and_then(Keys::database_url) {
        let database = Database::open(Config::parse(url.expose_secret(), "codeteam")?).await?;
        let says = "the one that DATABASE_URL names can be reached, and its schema is this program's";
        return Ok(Reached { database: Some(Arc::new(database)), team_is_up, says });
    }
    if let Some(access) = running? {
        let says = "the one of the team that is up can be reached, and its schema is this program's";
        return Ok(Reached { database: Some(access.database), team_is_up, says });
    }
    let says = if context.home.has_database() {
        "the embedded one is there and does not run now: the next command starts it"
    } else {
        "the embedded one is made when it is first needed"
    };
    Ok(Reached { database: None, team_is_up, says })
}

/// Whether somebody sees to the number of workers.
async fn scaling(database: &Database, team_is_up: bool) -> Result<String, CliError> {
    match Lead::of(&database.leader().await?, Timestamp::now()) {
        Lead::Never(_) | Lead::Vacant(_) if team_is_up => {
            Ok("the team that is up starts its workers itself, and needs no leader".into())
        }
        Lead::Never(says) | Lead::Well(says) => Ok(says),
        Lead::Vacant(says) | Lead::Trouble(says) => Err(CliError::Unable(says)),
    }
}

fn secrets(keys: &Keys) -> String {
    let path = keys.path().display();
    if !keys.has_file() {
        return format!("there is no file {path}; none is needed for a rehearsal");
    }
    let names: Vec<_> = keys.names().iter().map(ToString::to_string).collect();
    format!(
        "{path} is private and holds {}",
        if names.is_empty() { "nothing".into() } else { names.join(", ") }
    )
}

fn model_key(keys: &Keys) -> Result<String, CliError> {
    keys.require_model_key()?;
    let names: Vec<_> = keys.model_keys().iter().map(ToString::to_string).collect();
    Ok(match names.is_empty() {
        true => "none, and OPENAI_BASE_URL is set: name models as openai_chat:NAME".into(),
        false => format!("there is {}", names.join(", ")),
    })
}

/// Which models the modes' jobs get with these keys, and those of them that answer no more, or soon will not.
fn models(keys: &Keys, now: Timestamp) -> Vec<Check> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let has_key =
        |provider: Provider| keys.model_keys().iter().any(|name| name.as_str() == provider.names().key);
    let mut checks = Vec::new();
    for &mode in Mode::ALL {
        let coming = match retirement::coming(mode, today) {
            Ok(coming) => coming,
            Err(error) => return vec![check("models", Err(error.into()))],
        };
        let ours = coming.into_iter().filter(|retirement| has_key(retirement.info.provider));
        checks.extend(ours.map(|retirement| {
            let says = format!("{mode}: {retirement}");
            Check { name: "models", ok: retirement.info.successor.is_some(), warns: true, says }
        }));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_that_will_answer_no_more_are_warned_of_where_there_is_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.json");
        std::fs::write(&path, r#"{"OPENAI_API_KEY": "k"}"#).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let keys =
            Keys::open(Some(&format!("file:{}", path.display())), &service::Redaction::default()).unwrap();
        let checks = models(&keys, "2026-11-23T12:00:00Z".parse().unwrap());
        assert_eq!(checks.len(), 1, "{checks:?}");
        assert!(checks[0].ok && checks[0].warns, "{checks:?}");
        assert!(
            checks[0].says.starts_with("mechanic: gpt-5-mini answers no more from 2026-12-11 on, in 18 days")
        );
        assert_eq!(model_key(&keys).unwrap(), "there is OPENAI_API_KEY");
    }

    #[test]
    fn gits_version_is_read_whoever_packaged_it() {
        assert_eq!(version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(version("git version 2.47.GIT"), Some((2, 47)));
        assert_eq!(version("hello"), None);
    }
}
