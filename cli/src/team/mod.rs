//! The team on this machine: a database, a scaler, and through that its workers, on one home, held by one lock.
//!
//! It comes up in this order and goes down in reverse, bounded, leaving no process, no socket and no secret behind.

pub mod access;
mod leftovers;
pub mod lock;
mod run_files;
mod scaler;
mod server;
mod trouble;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use service::{ExposeSecret, Name, SecretString, Shutdown};
use store::{Config, Database};

pub use lock::{Holder, Lock, Taken};
pub use run_files::read as runtime_secrets;
pub use scaler::Scaler;
pub use trouble::Trouble;

use crate::error::CliError;
use crate::home::Home;
use crate::keys::Keys;
use crate::programs;
use run_files::{RunFiles, source};
use scaler::{Ended, Launch};
use server::Server;

/// What a rehearsal must not take from the environment: it is the same for everybody.
const SETTINGS: &[&str] = &["MODE", "MODEL", "STEP_CAP", "TOKEN_CAP", "TIME_LIMIT_MS"];

/// What kind of team is wanted.
#[derive(Debug, Default)]
pub struct Plan {
    /// The model keys that workers get.
    pub keys: Vec<(Name, SecretString)>,
    /// A database that is there already, and migrated. None: the embedded one.
    pub database_url: Option<SecretString>,
    /// The address of the rehearsal that answers in place of a model.
    pub rehearsal: Option<String>,
    /// What commands of strangers must not see beyond the team's own secrets and sockets: the user's secrets file.
    pub hidden: Vec<PathBuf>,
    /// Settings of the scaler and its workers, beyond what they inherit from the environment.
    pub settings: Vec<(&'static str, String)>,
    /// Whether the database may be lost with the machine.
    pub throwaway: bool,
}

impl Plan {
    /// With the user's own keys, and the database that they name.
    pub fn with(keys: &Keys) -> Plan {
        Plan {
            keys: keys.for_workers(),
            database_url: keys.database_url().cloned(),
            hidden: keys.has_file().then(|| keys.path().to_owned()).into_iter().collect(),
            ..Plan::default()
        }
    }

    /// With nothing of the user's: every answer comes from the rehearsal at `url`.
    pub fn rehearsed(url: String) -> Plan {
        let keys = vec![(Name::AnthropicApiKey, SecretString::from("no-key-is-needed"))];
        Plan { keys, rehearsal: Some(url), ..Plan::default() }
    }
}

/// A running team.
pub struct Team {
    /// The scaler, which tells of its deaths.
    pub scaler: Scaler,
    /// When the scaler of an earlier team decided for the last time.
    pub decided_at: Option<Timestamp>,
    psql: Option<String>,
    files: RunFiles,
    database: Arc<Database>,
    server: Option<Server>,
    _lock: Lock,
}

impl Team {
    /// Brings the team up under a lock that was already taken, and gives it with its database.
    ///
    /// Cancellation: dropping the future takes down what was brought up.
    pub async fn start(home: &Home, lock: Lock, plan: &Plan) -> Result<(Team, Arc<Database>), CliError> {
        let scaler = programs::find("scaler")?;
        programs::find("worker")?;
        home.make()?;
        let files = RunFiles::fresh(home);
        let postgres = match plan.database_url {
            Some(_) => None,
            None => Some(server::start(home, !plan.throwaway).await?),
        };
        let url = |role| match (&postgres, &plan.database_url) {
            (Some(postgres), _) => server::url_of(postgres, role),
            (None, given) => given.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default().to_owned(),
        };
        let database = Arc::new(Database::open(Config::parse(&url("codeteam_api"), "codeteam")?).await?);
        let worker_file = files.write("worker", &url("codeteam_worker"), &plan.keys)?;
        let scaler_file = files.write("scaler", &url("codeteam_scaler"), &[])?;
        // Last, because it says that the database is ready.
        files.write("api", &url("codeteam_api"), &[])?;

        let mut set = vec![
            ("SECRETS", source(&scaler_file)),
            ("WORKER_SECRETS", source(&worker_file)),
            ("ACTUATOR", "processes".to_owned()),
            ("WORK_DIR", home.work().display().to_string()),
        ];
        set.push(("HIDDEN_PATHS", hidden_paths(home, plan, &url("codeteam_api"))?));
        set.extend(plan.rehearsal.iter().map(|url| ("ANTHROPIC_BASE_URL", url.clone())));
        set.extend(plan.settings.iter().cloned());
        let unset = if plan.rehearsal.is_some() { SETTINGS } else { &["MODE"] };
        let launch = Launch { program: scaler, set, unset, log: home.log() };
        let decided_at = database.decisions(1).await?.first().map(|decision| decision.at);
        let psql = postgres.as_ref().map(|postgres| server::url_of(postgres, "codeteam_api"));
        let scaler = Scaler::start(launch).map_err(CliError::system("start the scaler"))?;
        let server = postgres.map(Server::keep);
        let ours = database.clone();
        Ok((Team { scaler, decided_at, psql, files, database: ours, server, _lock: lock }, database))
    }

    /// What `psql` connects to the embedded database with, as a client that may submit and read jobs.
    pub fn psql(&self) -> Option<String> {
        self.psql.clone()
    }

    /// Takes the team down: its jobs are given back unharmed. A second signal makes it quick.
    pub async fn stop(self, shutdown: &Shutdown) -> Result<(), CliError> {
        // First what tells others that there is a database, last the lock that keeps them out.
        self.files.remove();
        if self.scaler.stop(shutdown.now()).await == Ended::Killed && self.server.is_some() {
            leftovers::kill(&self.database).await;
        }
        if let Some(server) = self.server {
            server.stop().await?;
        }
        Ok(())
    }
}

/// What commands of strangers must not see, as the worker's setting HIDDEN_PATHS has it: whoever reaches the database's
/// socket is trusted by it, and the runtime secrets hold keys.
fn hidden_paths(home: &Home, plan: &Plan, database_url: &str) -> Result<String, CliError> {
    let socket = server::socket_folder(database_url);
    let own = [home.postgres(), home.run(), home.log(), home.lock()];
    let paths = own.into_iter().chain(socket).chain(plan.hidden.iter().cloned());
    let inherited = match std::env::var_os("HIDDEN_PATHS").filter(|paths| !paths.is_empty()) {
        Some(text) => serde_json::from_slice::<Vec<PathBuf>>(text.as_encoded_bytes()).map_err(|error| {
            CliError::Usage(format!(
                "HIDDEN_PATHS cannot be read ({error}): write a JSON array of full paths, as in [\"/srv/keys\"]"
            ))
        })?,
        None => Vec::new(),
    };
    serde_json::to_string(&paths.chain(inherited).collect::<Vec<_>>()).map_err(|_| {
        CliError::Usage(
            "a path that commands must not see is not UTF-8: give the team's folder and files other names"
                .to_owned(),
        )
    })
}

/// Who has the home, in a sentence.
pub fn in_use(home: &Home, holder: Holder) -> CliError {
    CliError::InUse { home: home.path().to_owned(), command: holder.command, pid: holder.pid }
}

/// Takes the lock on the home, which is made when it is not there. None: somebody else has it.
pub fn take(home: &Home, command: &str) -> Result<Taken, CliError> {
    home.make()?;
    lock::take(&home.lock(), command).map_err(CliError::folder("lock", home.lock()))
}
