//! A workspace in a temporary folder: real files, the real shell, git for the patches.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use agent::{CommandResult, Exit, Workspace, WorkspaceError};
use async_trait::async_trait;
use tempfile::TempDir;

pub struct Folder(TempDir);

/// What neither the model nor the journal may have.
pub const SECRET: &str = "sk-of-the-worker";

fn git(dir: &Path, args: &[&str]) -> String {
    let output = std::process::Command::new("git")
        .args(["-c", "user.name=T", "-c", "user.email=t@localhost", "-c", "core.autocrlf=false"])
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Folder {
    /// A commit of `files`, with `patch` applied.
    pub fn new(files: &[(&str, &str)], patch: Option<&str>) -> Folder {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder(dir);
        for (path, content) in files {
            let path = folder.path(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let root = folder.0.path();
        git(root, &["init", "-q"]);
        git(root, &["add", "-A"]);
        git(root, &["commit", "-q", "-m", "start"]);
        if let Some(patch) = patch {
            std::fs::write(root.join(".git/patch"), patch).unwrap();
            git(root, &["apply", ".git/patch"]);
        }
        folder
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }
}

#[async_trait]
impl Workspace for Folder {
    async fn run(&self, command: &str, timeout: Duration) -> Result<CommandResult, WorkspaceError> {
        let child = tokio::process::Command::new("/bin/sh")
            .args(["-c", &format!("exec 2>&1\n{command}")])
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        Ok(match tokio::time::timeout(timeout, child).await {
            Err(_) => CommandResult { output: Vec::new(), exit: Exit::TimedOut },
            Ok(output) => {
                let output = output.unwrap();
                let exit = output.status.code().map_or(Exit::Signal(9), Exit::Code);
                CommandResult { output: output.stdout, exit }
            }
        })
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, WorkspaceError> {
        std::fs::read(self.path(path)).map_err(|_| WorkspaceError::NotFound { path: path.to_owned() })
    }

    async fn write(&self, path: &str, bytes: &[u8]) -> Result<(), WorkspaceError> {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).map_err(|error| WorkspaceError::Refused { message: error.to_string() })
    }

    async fn diff(&self) -> Result<String, WorkspaceError> {
        git(self.0.path(), &["add", "-A"]);
        Ok(git(self.0.path(), &["diff", "--cached", "--binary", "HEAD"]))
    }

    async fn undo(&self, patch: &str) -> Result<(), WorkspaceError> {
        std::fs::write(self.path(".git/undo"), patch).unwrap();
        git(self.0.path(), &["apply", "--reverse", ".git/undo"]);
        git(self.0.path(), &["add", "-A"]);
        Ok(())
    }

    async fn files(&self, limit: usize) -> Result<Vec<String>, WorkspaceError> {
        let files = git(self.0.path(), &["ls-tree", "-r", "--name-only", "HEAD"]);
        Ok(files.lines().take(limit).map(String::from).collect())
    }

    fn hide(&self, text: String) -> String {
        text.replace(SECRET, "[redacted]")
    }
}
