//! Runs the program git: with a scrubbed environment, a deadline, and an end for every process that it started.
//!
//! A call may be dropped at any time. Git then dies at once with its children (helpers for http, ssh), which share
//! its process group; otherwise a child that waits for a silent server would outlive the call.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};

use crate::ForgeError;
use crate::private::Private;

/// For calls that need no network: far more than they take, so that a sick disk cannot hold a worker for ever.
const LOCAL: Duration = Duration::from_secs(120);
/// Bytes of output that are read when a call says nothing else.
const OUTPUT: u64 = 256 << 20;
/// Bytes of git's complaints that are kept.
const COMPLAINTS: u64 = 64 << 10;
/// The first git that reads `GIT_CONFIG_GLOBAL`.
const OLDEST: (u32, u32) = (2, 32);
/// What git and its helpers need of the caller's environment: to be found, to find ssh's agent, proxies and certificates.
const INHERITED: [&str; 16] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "CURL_CA_BUNDLE",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
];

/// One run of git.
pub(crate) struct Call {
    what: &'static str,
    command: Command,
    input: Vec<Vec<u8>>,
    limit: u64,
    deadline: Instant,
}

/// What a run of git left.
pub(crate) struct Output {
    pub success: bool,
    pub stdout: Vec<u8>,
    /// The output went past the limit; git was stopped there.
    pub cut: bool,
    pub stderr: String,
}

impl Call {
    /// A call that may use the network, until `deadline`. `what` completes "git could not ...".
    pub fn until(deadline: Instant, what: &'static str, private: &Private) -> Call {
        let mut command = Command::new("git");
        command.env_clear();
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", private.config())
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env(
                "GIT_SSH_COMMAND",
                "ssh -o BatchMode=yes -o ConnectTimeout=15 -o ControlMaster=no -o ControlPath=none",
            )
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .current_dir(private.path())
            .env("GIT_CEILING_DIRECTORIES", private.path().parent().unwrap_or(Path::new("/")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        Call { what, command, input: Vec::new(), limit: OUTPUT, deadline }
    }

    /// A call that needs no network.
    pub fn local(what: &'static str, private: &Private) -> Call {
        Call::until(Instant::now() + LOCAL, what, private)
    }

    /// Sets one variable of git's environment, such as `GIT_DIR`.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Call {
        self.command.env(name, value);
        self
    }

    /// Where git runs. Never a folder with a `.git` that somebody else wrote, unless `GIT_DIR` is set.
    pub fn in_dir(mut self, dir: &Path) -> Call {
        self.command.current_dir(dir);
        self
    }

    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Call {
        self.command.args(args);
        self
    }

    /// What git reads, in pieces, so that large contents need not be copied together.
    pub fn input(mut self, pieces: Vec<Vec<u8>>) -> Call {
        self.input = pieces;
        self
    }

    /// Bytes of output after which git is stopped.
    pub fn limit(mut self, bytes: u64) -> Call {
        self.limit = bytes;
        self
    }

    /// Runs git to its end. An exit code other than 0 is no error here: the caller knows what it means.
    pub async fn run(mut self) -> Result<Output, ForgeError> {
        let child = self.command.spawn().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ForgeError::GitMissing,
            _ => ForgeError::Disk { what: "starting git".into(), source },
        })?;
        let failed = |source| ForgeError::Disk { what: format!("talking to git to {}", self.what), source };
        match timeout_at(self.deadline, talk(child, self.input, self.limit)).await {
            Ok(output) => output.map_err(failed),
            Err(_) => Err(ForgeError::TimedOut { what: self.what.to_owned() }),
        }
    }

    /// Runs git to its end and takes its output, or its complaint as an error.
    pub async fn succeed(self) -> Result<Vec<u8>, ForgeError> {
        let what = self.what;
        let output = self.run().await?;
        if output.success { Ok(output.stdout) } else { Err(crate::stderr::local(what, &output.stderr)) }
    }
}

/// Kills git and its children unless git came to its own end. Dropped before the child, whose id is thus still its own.
struct Group(Option<Pid>);

impl Group {
    fn kill(&self) {
        if let Some(group) = self.0 {
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn talk(mut child: Child, input: Vec<Vec<u8>>, limit: u64) -> io::Result<Output> {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // Declared after the child: dropped before it.
    let mut group = Group(pid);
    let feed = async {
        if let Some(mut stdin) = stdin {
            for piece in input {
                // Git may stop reading when it has seen enough; its exit code says whether that is well.
                if stdin.write_all(&piece).await.is_err() {
                    break;
                }
            }
        }
    };
    let listen = async {
        let (bytes, cut) = read_at_most(stdout, limit).await?;
        if cut {
            group.kill();
        }
        io::Result::Ok((bytes, cut))
    };
    let ((), listened, complained) = tokio::join!(feed, listen, read_and_drain(stderr));
    let ((stdout, cut), complaints) = (listened?, complained?);
    let success = child.wait().await?.success();
    group.0 = None;
    Ok(Output { success, stdout, cut, stderr: String::from_utf8_lossy(&complaints).into_owned() })
}

async fn read_at_most(pipe: Option<impl AsyncRead + Unpin>, limit: u64) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    let Some(pipe) = pipe else { return Ok((bytes, false)) };
    pipe.take(limit + 1).read_to_end(&mut bytes).await?;
    let cut = bytes.len() as u64 > limit;
    Ok((bytes, cut))
}

async fn read_and_drain(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(mut pipe) = pipe else { return Ok(bytes) };
    (&mut pipe).take(COMPLAINTS).read_to_end(&mut bytes).await?;
    tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    Ok(bytes)
}

/// Asks git for its version, once per process, and refuses one that does not know what is asked of it here.
pub(crate) async fn ensure_usable(private: &Private) -> Result<(), ForgeError> {
    static USABLE: OnceCell<()> = OnceCell::const_new();
    USABLE
        .get_or_try_init(|| async {
            let said = Call::local("say its version", private).args(["version"]).succeed().await?;
            let said = String::from_utf8_lossy(&said).trim().to_owned();
            if is_new_enough(&said) { Ok(()) } else { Err(ForgeError::GitTooOld { found: said }) }
        })
        .await
        .copied()
}

fn is_new_enough(said: &str) -> bool {
    let version = said.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut numbers =
        version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= OLDEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_git_is_told_from_a_new_one() {
        for new in ["git version 2.32.0", "git version 2.39.2 (Apple Git-143)", "git version 3.0.rc1"] {
            assert!(is_new_enough(new), "{new}");
        }
        for old in ["git version 2.25.1", "git version 1.99", "", "no git"] {
            assert!(!is_new_enough(old), "{old}");
        }
    }

    #[tokio::test]
    async fn a_missing_git_says_what_to_install() {
        let private = Private::new(None, None).unwrap();
        let call = Call::local("run", &private).env("PATH", "/nonexistent").args(["version"]);
        let error = call.run().await.err().unwrap();
        assert!(matches!(error, ForgeError::GitMissing) && error.is_permanent(), "{error}");
    }

    #[tokio::test]
    async fn an_endless_output_is_cut() {
        let private = Private::new(None, None).unwrap();
        let call = Call::local("talk", &private).args(["-c", "alias.talk=!yes", "talk"]).limit(1000);
        let output = call.run().await.unwrap();
        assert!(output.cut && output.stdout.len() == 1001);
    }

    #[tokio::test]
    async fn what_git_started_dies_with_the_call() {
        let private = Private::new(None, None).unwrap();
        let pid_file = private.path().join("pid");
        let script = format!(
            "alias.wait=!echo $$ > '{0}.new'; mv '{0}.new' '{0}'; sleep 1000; true",
            pid_file.display()
        );
        let soon = Instant::now() + Duration::from_secs(600);
        let call = Call::until(soon, "wait", &private).args(["-c", &script, "wait"]);
        let running = tokio::spawn(call.run());
        let pid = loop {
            match std::fs::read_to_string(&pid_file) {
                Ok(pid) => break Pid::from_raw(pid.trim().parse().unwrap()),
                Err(_) if running.is_finished() => panic!("git came to an end by itself"),
                Err(_) => tokio::task::yield_now().await,
            }
        };
        running.abort();
        assert!(running.await.err().unwrap().is_cancelled());
        while is_alive(pid) {
            tokio::task::yield_now().await;
        }
    }

    /// A process that ended and that nobody has waited for yet counts as dead.
    fn is_alive(pid: Pid) -> bool {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }
}
