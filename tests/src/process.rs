//! Programs as processes, that never outlive their test.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

/// Where a program of the house was built.
pub fn program(name: &str) -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let profile = exe.parent().and_then(|deps| deps.parent()).unwrap();
    let path = profile.join(name);
    assert!(
        path.is_file(),
        "{} is not built: run script/test, or cargo build --workspace first",
        path.display()
    );
    path
}

pub struct Program {
    child: Child,
}

impl Program {
    /// Starts it; what it logs goes to `log`.
    pub fn start(name: &str, args: &[&str], env: &[(&str, String)], log: &std::path::Path) -> Program {
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(program(name));
        command.args(args).envs(env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).kill_on_drop(true);
        Program { child: command.spawn().unwrap() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("a program that has not been waited for")
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid() as i32), signal).unwrap();
    }

    pub async fn wait(&mut self) -> ExitStatus {
        tokio::time::timeout(crate::PATIENCE, self.child.wait()).await.expect("the program to end").unwrap()
    }

    /// As a machine that loses its power would.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}
