//! A real PgBouncer in front of a test's server, in transaction mode: clients share a few server connections, and each transaction
//! may be on another one.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::server::own_folder;

/// It names the socket; no port is opened.
const PORT: &str = "6432";
const ROLES: [&str; 4] = ["postgres", "codeteam_api", "codeteam_worker", "codeteam_scaler"];

/// Ends with its folder when it is dropped.
pub struct Pooler {
    process: Child,
    dir: PathBuf,
    _log: JoinSet<()>,
}

impl Pooler {
    /// For the server behind `url`, which names a unix socket; with at most `size` connections to it for each role and database.
    pub async fn start(url: &str, size: u32) -> Pooler {
        let config: tokio_postgres::Config = url.parse().unwrap();
        let [tokio_postgres::config::Host::Unix(server)] = config.get_hosts() else {
            panic!("no unix socket in {url}")
        };
        let dir = own_folder();
        fs::DirBuilder::new().mode(0o700).create(&dir).unwrap();
        let users: String = ROLES.map(|role| format!("\"{role}\" \"\"\n")).concat();
        fs::write(dir.join("users"), users).unwrap();
        fs::write(dir.join("pgbouncer.ini"), settings(server, &dir, size)).unwrap();
        let mut process = command(server, &dir).spawn().expect("a PgBouncer: script/setup installs it");
        let log = until_it_is_up(&mut process).await;
        Pooler { process, dir, _log: log }
    }

    /// The same database and role, through the pooler.
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgresql://{role}@/{database}?host={}&port={PORT}", self.dir.display())
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.start_kill();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn settings(server: &Path, dir: &Path, size: u32) -> String {
    let (server, dir) = (server.display(), dir.display());
    format!(
        "[databases]\n* = host={server} port=5432\n\
         [pgbouncer]\nunix_socket_dir = {dir}\nlisten_port = {PORT}\n\
         auth_type = trust\nauth_file = {dir}/users\nadmin_users = postgres\n\
         pool_mode = transaction\ndefault_pool_size = {size}\nserver_login_retry = 1\n"
    )
}

/// As the user who may enter the server's socket folder: PgBouncer refuses root, as PostgreSQL does. The kernel ends it with us.
fn command(server: &Path, dir: &Path) -> Command {
    let (ours, servers) = (fs::metadata(dir).unwrap(), fs::metadata(server).unwrap());
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if ours.uid() != servers.uid() {
        let (user, group) = (servers.uid(), servers.gid());
        for path in [dir.to_owned(), dir.join("users"), dir.join("pgbouncer.ini")] {
            chown(path, Some(user), Some(group)).unwrap();
        }
        command.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups"]);
    }
    // Debian puts it where only root looks.
    let program = ["/usr/sbin/pgbouncer"].into_iter().find(|path| Path::new(path).exists());
    command.args(["--", program.unwrap_or("pgbouncer")]).arg(dir.join("pgbouncer.ini")).current_dir(dir);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Reads its log on after that, so that it never waits for a reader.
async fn until_it_is_up(process: &mut Child) -> JoinSet<()> {
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut said = Vec::new();
    loop {
        let line = lines.next_line().await.unwrap();
        let line = line.unwrap_or_else(|| panic!("PgBouncer does not start: {said:#?}"));
        if line.contains("process up") {
            break;
        }
        said.push(line);
    }
    let mut log = JoinSet::new();
    log.spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    log
}
