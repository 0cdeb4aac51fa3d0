//! What the tests share: folders, connections, and this test binary run once more as another process.

use std::process::{Command, Stdio};

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A connection that ends with the client.
pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

pub async fn ask(url: &str, query: &str) -> String {
    connect(url).await.query_one(query, &[]).await.unwrap().get(0)
}

/// Whether the process runs; one that has ended and that nobody has asked about yet does not.
pub fn is_alive(pid: u32) -> bool {
    std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok()
}

pub fn am_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// One test of this binary, marked `ignored` there, as a process of its own that may be killed.
pub fn rerun(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}
