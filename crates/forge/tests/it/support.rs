//! Repositories to work on, and what tests ask of them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use forge::{Mirror, Workspace};
use tempfile::TempDir;
use tokio::time::Instant;

/// A repository with room beside it for mirrors and workspaces; all of it goes when it is dropped.
pub struct Repo {
    pub dir: TempDir,
}

impl Repo {
    /// An empty repository on branch main.
    pub fn empty() -> Repo {
        Repo::in_format("sha1")
    }

    pub fn in_format(format: &str) -> Repo {
        let repo = Repo { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(repo.path()).unwrap();
        repo.git(&["init", "-q", "-b", "main", "--object-format", format]);
        repo
    }

    /// One with a commit that holds `files`.
    pub fn with(files: &[(&str, &[u8])]) -> Repo {
        let repo = Repo::empty();
        for (path, content) in files {
            repo.write(path, content);
        }
        repo.commit("first");
        repo
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    pub fn address(&self) -> String {
        self.path().display().to_string()
    }

    /// A place beside the repository where nothing is yet.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn git(&self, args: &[&str]) -> String {
        git(&self.path(), args)
    }

    pub fn write(&self, path: &str, content: &[u8]) {
        write(&self.path(), path, content);
    }

    /// Commits everything. The new commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub async fn mirror(&self) -> Mirror {
        Mirror::fetch(&self.address(), None, None, &self.beside("mirror"), soon()).await.unwrap()
    }

    pub async fn workspace(&self) -> Workspace {
        self.mirror().await.checkout(&self.beside("work")).await.unwrap()
    }
}

/// Later than any test that is well.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(300)
}

/// Runs git as a person with no settings would; what it said.
pub fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(dir)
        .args(["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"])
        .args(["-c", "uploadpack.allowFilter=true", "-c", "safe.directory=*"])
        .args(args)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub fn write(root: &Path, path: &str, content: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

pub fn make_executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A script that leaves `marker` behind when anything runs it, and hands its input on.
pub fn trap(dir: &Path, name: &str, marker: &Path) -> PathBuf {
    let script = dir.join(name);
    write(dir, name, format!("#!/bin/sh\ntouch '{}'\ncat\n", marker.display()).as_bytes());
    make_executable(&script);
    script
}

/// What stands in a folder, `.git` folders at its root left out: path to kind, mode and content.
pub fn snapshot(root: &Path) -> BTreeMap<Vec<u8>, (String, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(root).unwrap();
            if relative == Path::new(".git") {
                continue;
            }
            let metadata = fs::symlink_metadata(&path).unwrap();
            let key = relative.as_os_str().as_bytes().to_vec();
            if metadata.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                found.insert(key, ("link".into(), target.as_os_str().as_bytes().to_vec()));
            } else if metadata.is_dir() {
                folders.push(path);
            } else {
                let mode = metadata.permissions().mode() & 0o100;
                found.insert(key, (format!("file {mode:o}"), fs::read(&path).unwrap()));
            }
        }
    }
    found
}
