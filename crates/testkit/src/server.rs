//! The PostgreSQL server of a test program, or of one test that wants to stop and start it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use embedded::{Postgres, Settings, Shutdown};
use tokio::sync::OnceCell;

static SHARED: OnceCell<Server> = OnceCell::const_new();
static COUNTER: AtomicU32 = AtomicU32::new(0);

pub struct Server {
    postgres: Postgres,
    dir: PathBuf,
}

impl Server {
    /// The server that the tests of this program share, with a migrated template database. It ends with the program.
    pub async fn shared() -> &'static Server {
        SHARED.get_or_init(Server::start).await
    }

    /// A server for one test alone.
    pub async fn start() -> Server {
        clear_away_old_ones();
        let dir = own_folder();
        let settings = Settings { max_connections: 200, ..Settings::throwaway(&dir) };
        let postgres = Postgres::start(settings).await.expect("a PostgreSQL server for tests");
        let server = Server { postgres, dir };
        server.admin("create database codeteam_template").await;
        let config = store::Config::parse(&server.url("postgres", "codeteam_template"), "testkit").unwrap();
        store::migrate(config).await.expect("a migrated template database");
        server
    }

    pub fn url(&self, role: &str, database: &str) -> String {
        self.postgres.url(role, database)
    }

    pub fn pid(&self) -> u32 {
        self.postgres.pid()
    }

    pub async fn restart(&self, how: Shutdown) {
        self.postgres.restart(how).await.expect("a restarted server");
    }

    pub async fn stop(self) {
        let Server { postgres, dir } = self;
        postgres.stop().await.expect("a stopped server");
        let _ = std::fs::remove_dir_all(dir);
    }

    pub(crate) async fn admin(&self, sql: &str) {
        let client = crate::database::connect(&self.url("postgres", "postgres")).await;
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

/// A name for a folder that nobody else has; not made yet.
pub(crate) fn own_folder() -> PathBuf {
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("codeteam-test-{}-{number}", std::process::id()))
}

/// The shared server of an earlier run ended with its program, which could not remove the folder after it.
fn clear_away_old_ones() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(pid) = name.strip_prefix("codeteam-test-").and_then(|rest| rest.split('-').next()) else {
            continue;
        };
        let alive = Path::new("/proc").join(pid).exists() || path.join("data/postmaster.pid").exists();
        if !alive {
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}
