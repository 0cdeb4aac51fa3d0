//! A client command's way to the jobs: the database that the user's secrets name, that of the team that runs on the
//! home, or, where none runs, the home's own one, started for this command alone.

use std::sync::Arc;
use std::time::Duration;

use embedded::Postgres;
use service::{ExposeSecret, Name};
use store::{Config, Database};
use tokio::time::{Instant, sleep};

use super::run_files::{RunFiles, read};
use super::{Lock, Taken, in_use, server, take};
use crate::context::Context;
use crate::error::CliError;

/// How long another command may take to make its database ready, or to leave.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at a lock that another command holds.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A database, and what it takes to have it.
pub struct Access {
    /// The jobs.
    pub database: Arc<Database>,
    /// The server and the lock, when they are this command's.
    own: Option<(Postgres, Lock)>,
}

/// What to do where nothing has ever run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// Say so: there is nothing to see.
    Refuse,
    /// Make a database: there is something to store.
    Make,
}

impl Access {
    async fn open(context: &Context, command: &str, absent: Absent) -> Result<Access, CliError> {
        let keys = context.keys()?;
        if let Some(url) = keys.database_url() {
            return Access::to(url.expose_secret()).await;
        }
        let home = &context.home;
        if absent == Absent::Refuse && !home.has_database() {
            return Err(CliError::Nothing { home: home.path().to_owned() });
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            match take(home, command)? {
                Taken::Mine(lock) => {
                    RunFiles::fresh(home);
                    let postgres = server::start(home, true).await?;
                    let api = Config::parse(&server::url_of(&postgres, "codeteam_api"), "codeteam")?;
                    let database = Arc::new(Database::open(api).await?);
                    return Ok(Access { database, own: Some((postgres, lock)) });
                }
                Taken::Theirs(holder) => {
                    match Access::to_running(context).await {
                        Ok(Some(access)) => return Ok(access),
                        // It is being started or stopped.
                        Ok(None) if Instant::now() < deadline => sleep(LOOK_EVERY).await,
                        Ok(None) => return Err(in_use(home, holder)),
                        Err(CliError::Store(error)) if error.is_transient() && Instant::now() < deadline => {
                            sleep(LOOK_EVERY).await;
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
        }
    }

    /// The database of the team that runs on the home; None while it has none ready.
    pub async fn to_running(context: &Context) -> Result<Option<Access>, CliError> {
        let Some(secrets) = read(&context.home, "api")? else { return Ok(None) };
        Ok(Some(Access::to(secrets.require(Name::DatabaseUrl)?.expose_secret()).await?))
    }

    async fn to(url: &str) -> Result<Access, CliError> {
        let database = Arc::new(Database::open(Config::parse(url, "codeteam")?).await?);
        Ok(Access { database, own: None })
    }

    /// Whether nobody works on jobs while this is open, as far as this program can know.
    pub fn is_alone(&self) -> bool {
        self.own.is_some()
    }

    /// Does `work` with the database, and stops what was started for it.
    pub async fn with<T>(
        context: &Context,
        command: &str,
        absent: Absent,
        work: impl AsyncFnOnce(&Access) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        let access = Access::open(context, command, absent).await?;
        let done = work(&access).await;
        let Access { database, own } = access;
        drop(database);
        if let Some((postgres, _lock)) = own {
            postgres.stop().await?;
        }
        done
    }
}
