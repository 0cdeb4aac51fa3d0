//! The team's own database: the embedded server on the home, with the database `codeteam` made and migrated.

use std::path::PathBuf;
use std::time::Duration;

use embedded::{EmbeddedError, Postgres, Settings, Shutdown};
use nix::unistd::Pid;
use store::Config;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::error::CliError;
use crate::home::Home;

const DATABASE: &str = "codeteam";
/// Between two looks at the server's process. They cost the database nothing.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two tries to start it again.
const TRY_EVERY: Duration = Duration::from_secs(10);

/// Starts the server, and makes and migrates the database where that is to be done.
pub async fn start(home: &Home, durable: bool) -> Result<Postgres, CliError> {
    let settings = Settings { durable, ..Settings::durable(home.postgres()) };
    let postgres = Postgres::start(settings).await?;
    store::create_database(Config::parse(&postgres.url("postgres", "postgres"), "codeteam")?, DATABASE)
        .await?;
    store::migrate(Config::parse(&url_of(&postgres, "postgres"), "codeteam")?).await?;
    Ok(postgres)
}

/// Where `role` logs in.
pub fn url_of(postgres: &Postgres, role: &str) -> String {
    postgres.url(role, DATABASE)
}

/// The folder of the socket in a URL that [`url_of`] gave: beside the data, or elsewhere where that path is too long.
pub fn socket_folder(url: &str) -> Option<PathBuf> {
    // No character but the slash of such a folder's path needs escaping.
    let host = url.split_once("?host=")?.1.split('&').next()?;
    Some(PathBuf::from(host.replace("%2F", "/")))
}

/// A server that is kept running: one that was killed is started again on the same data.
#[derive(Debug)]
pub struct Server {
    stop: CancellationToken,
    keeper: JoinHandle<Result<(), EmbeddedError>>,
}

impl Server {
    /// Takes the server into its keeping.
    pub fn keep(postgres: Postgres) -> Server {
        let stop = CancellationToken::new();
        let keeper = tokio::spawn(keep(postgres, stop.clone()));
        Server { stop, keeper }
    }

    /// Stops it: at most about 40 s.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        self.stop.cancel();
        self.keeper.await.unwrap_or(Err(EmbeddedError::OwnerGone))
    }
}

async fn keep(postgres: Postgres, stop: CancellationToken) -> Result<(), EmbeddedError> {
    let mut pause = LOOK_EVERY;
    loop {
        tokio::select! {
            () = stop.cancelled() => return postgres.stop().await,
            () = sleep(pause) => {}
        }
        pause = LOOK_EVERY;
        if has_ended(postgres.pid()) {
            tracing::warn!("the database server is gone: it is started again");
            if let Err(error) = postgres.restart(Shutdown::Fast).await {
                tracing::error!(error = %service::exit::one_line(&error), "the database server did not start");
                pause = TRY_EVERY;
            }
        }
    }
}

/// Whether the child has ended; it is left for its owner to collect.
#[cfg(target_os = "linux")]
fn has_ended(pid: u32) -> bool {
    use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match i32::try_from(pid) {
        // 0: it did not come up again the last time.
        Ok(0) => true,
        Ok(pid) => !matches!(waitid(Id::Pid(Pid::from_raw(pid)), look), Ok(WaitStatus::StillAlive)),
        Err(_) => false,
    }
}

/// Elsewhere a server that ended is started by the next command.
#[cfg(not(target_os = "linux"))]
fn has_ended(_pid: u32) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sockets_folder_is_read_off_the_url() {
        let url = "postgresql://codeteam_api@/codeteam?host=%2Ftmp%2Fx-1%2Fsocket&port=5432";
        assert_eq!(socket_folder(url), Some("/tmp/x-1/socket".into()));
        assert_eq!(socket_folder("postgres://u:p@db.example/x"), None);
    }
}
