//! A git repository for a test.

use std::path::{Path, PathBuf};
use std::process::Command;

pub struct Repo {
    dir: tempfile::TempDir,
}

impl Repo {
    /// One commit with these files.
    pub fn with(files: &[(&str, &str)]) -> Repo {
        let repo = Repo { dir: tempfile::tempdir().unwrap() };
        for (path, text) in files {
            let path = repo.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo.commit("everything");
        repo
    }

    /// The demo's repository, whose test fails.
    pub fn demo() -> Repo {
        Repo::with(&rehearsal::demo::FILES)
    }

    pub fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&[
            "-c",
            "user.name=A Person",
            "-c",
            "user.email=a@person.test",
            "commit",
            "--quiet",
            "-m",
            message,
        ]);
    }

    pub fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git").arg("-C").arg(self.path()).args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn url(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }

    /// What its test says with `patch` applied, in a copy.
    pub fn passes_with(&self, patch: &str, test: &str) -> bool {
        let copy = tempfile::tempdir().unwrap();
        let target: PathBuf = copy.path().join("copy");
        self.git(&["worktree", "add", "--quiet", "--detach", target.to_str().unwrap()]);
        let file = copy.path().join("patch");
        std::fs::write(&file, patch).unwrap();
        let applied =
            Command::new("git").arg("-C").arg(&target).arg("apply").arg(&file).status().unwrap().success();
        let passes =
            Command::new("sh").arg("-c").arg(test).current_dir(&target).output().unwrap().status.success();
        self.git(&["worktree", "remove", "--force", target.to_str().unwrap()]);
        applied && passes
    }
}
