//! The command line as a person uses it: a home and secrets of its own, and nothing else of this machine's settings.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::{PATIENCE, program};

pub struct CommandLine {
    dir: tempfile::TempDir,
    env: Vec<(String, String)>,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl CommandLine {
    pub fn new() -> CommandLine {
        let dir = tempfile::Builder::new().prefix("cli-").tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        CommandLine { dir, env: Vec::new() }
    }

    /// With a key, and a model behind `url`.
    pub fn with_model(url: &str) -> CommandLine {
        let mut line = CommandLine::new();
        line.secrets(&serde_json::json!({"ANTHROPIC_API_KEY": "sk-test-key"}).to_string(), 0o600);
        line.set("ANTHROPIC_BASE_URL", url);
        line
    }

    /// Writes the secrets file, which all commands from now on are given.
    pub fn secrets(&mut self, json: &str, mode: u32) -> PathBuf {
        let path = self.path("secrets.json");
        std::fs::write(&path, json).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        self.set("SECRETS", &format!("file:{}", path.display()));
        path
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program("codeteam"));
        command.args(args).env_clear().stdin(Stdio::null()).kill_on_drop(true);
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOME", self.path("user")).env("CODETEAM_HOME", self.path("home"));
        command.env("TMPDIR", self.temporary());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The temporary folder of its commands: what they leave there is seen.
    pub fn temporary(&self) -> PathBuf {
        let path = self.path("tmp");
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    pub async fn run(&self, args: &[&str]) -> Said {
        let output = tokio::time::timeout(PATIENCE, self.command(args).output());
        let Output { status, stdout, stderr } = output.await.expect("the command to end").unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// Starts a command that stays, such as `up`.
    pub fn start(&self, args: &[&str]) -> Staying {
        let mut child = self.command(args).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Staying { child, lines, said: String::new() }
    }

    /// The processes that have this home or its folders in their command line or environment.
    pub fn processes(&self) -> Vec<String> {
        let mark = self.dir.path().to_str().unwrap().as_bytes();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let read = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
            let (line, environment) = (read("cmdline"), read("environ"));
            if contains(&line, mark) || contains(&environment, mark) {
                found.push(format!(
                    "{:?}: {}",
                    entry.file_name(),
                    String::from_utf8_lossy(&line).replace('\0', " ")
                ));
            }
        }
        found
    }

    /// Waits until nothing of it runs any more.
    pub async fn all_gone(&self) {
        let gone = async {
            while !self.processes().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(PATIENCE, gone).await.is_err() {
            panic!("left running: {:#?}", self.processes());
        }
    }
}

impl Default for CommandLine {
    fn default() -> Self {
        CommandLine::new()
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// A command that runs until it is told to stop.
pub struct Staying {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: String,
}

impl Staying {
    /// Reads what it says until a line holds `part`.
    pub async fn until(&mut self, part: &str) {
        let reading = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.said.push_str(&line);
                self.said.push('\n');
                if line.contains(part) {
                    return true;
                }
            }
            false
        };
        let found = tokio::time::timeout(PATIENCE, reading).await;
        assert!(found == Ok(true), "{part:?} was never said; this was: {}", self.said);
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().unwrap() as i32), signal).unwrap();
    }

    /// Waits for its end; gives the exit code.
    pub async fn wait(&mut self) -> Option<i32> {
        // Its pipe must be read, or it would wait for us.
        let reading = async {
            while let Ok(Some(line)) = self.lines.next_line().await {
                self.said.push_str(&line);
                self.said.push('\n');
            }
            self.child.wait().await.unwrap().code()
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("the command to end")
    }

    pub fn said(&self) -> &str {
        &self.said
    }
}

/// Whether a folder has nothing in it.
pub fn is_empty(path: &Path) -> bool {
    std::fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none())
}
