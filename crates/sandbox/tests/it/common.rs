//! Sandboxes to test, and ways to look at processes from outside.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::unistd::geteuid;
use sandbox::{Command, End, Finished, Launcher, Level, Sandbox, Settings};
use tempfile::TempDir;

/// Names the launcher when it has been copied to where another user may execute it.
pub const LAUNCHER_VARIABLE: &str = "SANDBOX_TEST_LAUNCHER";

pub fn settings() -> Settings {
    let program =
        std::env::var_os(LAUNCHER_VARIABLE).unwrap_or_else(|| env!("CARGO_BIN_EXE_sandbox-launch").into());
    Settings { launcher: Launcher { program: program.into(), args: Vec::new() }, ..Settings::default() }
}

pub fn is_root() -> bool {
    geteuid().is_root()
}

/// A sandbox and a workspace that it may write to.
pub struct Bench {
    pub sandbox: Sandbox,
    pub workspace: TempDir,
}

impl Bench {
    /// None: the machine does not allow the level.
    pub async fn at(level: Level, settings: Settings) -> Option<Bench> {
        let sandbox = match Sandbox::start(Settings { level: Some(level), ..settings }).await {
            Ok(sandbox) => sandbox,
            Err(error) if allowed(level) => panic!("{level}: {error}"),
            Err(error) => {
                eprintln!("not tested at level {level}: {error}");
                return None;
            }
        };
        let workspace = folder();
        sandbox.adopt(workspace.path()).unwrap();
        Some(Bench { sandbox, workspace })
    }

    pub fn command<'a>(&'a self, shell: &'a str) -> Command<'a> {
        let dir = self.workspace.path();
        Command { shell, dir, timeout: Duration::from_secs(60), output_limit: 10_000, env: &[] }
    }

    pub async fn run(&self, shell: &str) -> Finished {
        self.sandbox.run(self.command(shell)).await.unwrap()
    }

    /// The output of a command that must succeed.
    pub async fn output(&self, shell: &str) -> String {
        let finished = self.run(shell).await;
        assert_eq!(finished.end, End::Exited(0), "{}: {}", self.sandbox.level(), finished.output);
        finished.output
    }

    /// What a command says that must fail.
    pub async fn failure(&self, shell: &str) -> String {
        let finished = self.run(shell).await;
        let failed = matches!(finished.end, End::Exited(1..));
        assert!(failed, "{}: {shell}: {:?}: {}", self.sandbox.level(), finished.end, finished.output);
        finished.output
    }
}

/// A bench at each level that the machine allows, with these settings.
pub async fn benches(settings: Settings) -> Vec<Bench> {
    let mut benches = Vec::new();
    for level in Level::ALL {
        benches.extend(Bench::at(level, settings.clone()).await);
    }
    assert!(!benches.is_empty(), "no level holds on this machine");
    benches
}

/// Whether a level must hold here, found out without the code under test.
fn allowed(level: Level) -> bool {
    match level {
        Level::Namespaces => {
            let flags = if is_root() { "-mnpiuf" } else { "-Umnpiuf" };
            let mut unshare = std::process::Command::new("unshare");
            unshare.args([flags, "--mount-proc", "true"]);
            unshare.output().is_ok_and(|output| output.status.success())
        }
        Level::Landlock => false,
        Level::Seccomp => is_root(),
    }
}

/// A folder that every user may enter.
pub fn folder() -> TempDir {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    tempfile::Builder::new().prefix("sandbox-test-").permissions(permissions).tempdir().unwrap()
}

/// A word that no other process on this machine has on its command line.
pub fn marker() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("marker-{}-{}-end", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// How many living processes have `marker` on their command line.
pub fn alive(marker: &str) -> usize {
    let commands = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let path: PathBuf = entry.ok()?.path();
        // A launcher that has been told everything over its socket has none of it on its command line.
        fs::read(path.join("cmdline")).ok()
    });
    commands.filter(|command| String::from_utf8_lossy(command).contains(marker)).count()
}

/// Waits until `condition` holds.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let look = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), look)
        .await
        .unwrap_or_else(|_| panic!("never happened: {what}"));
}
