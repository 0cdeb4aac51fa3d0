//! The scaler as a child process: started, started again when it dies, and stopped with its workers.
//!
//! It stands in a process group of its own, so that a Ctrl-C at the terminal reaches only us, and it stops by itself
//! when its standard input closes, so that it never outlives us, however we end. Its workers are tied to it in the same
//! way: those of a scaler that died finish the job at hand and go. What goes wrong with its workers it tells on its
//! standard output.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::trouble::Trouble;

/// It gives its workers fifteen seconds to give their jobs back, and then kills them.
const STOPS_WITHIN: Duration = Duration::from_secs(25);
/// When nobody has that patience. It gives its workers five seconds then.
const STOPS_AT_ONCE_WITHIN: Duration = Duration::from_secs(8);
/// Between two signals that say so: those that arrive together count as one.
const ONCE_MORE: Duration = Duration::from_millis(500);
/// A scaler that lived this long started well.
const STARTED_WELL: Duration = Duration::from_secs(10);
/// The log is begun anew when it is larger than this, in bytes; the old one stays beside it.
const LOG_LIMIT: u64 = 10 << 20;

/// How it is started.
#[derive(Debug)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// What its environment has beyond ours.
    pub set: Vec<(&'static str, String)>,
    /// What its environment lacks of ours.
    pub unset: &'static [&'static str],
    /// Where its log, and its workers', goes.
    pub log: PathBuf,
}

/// A scaler that is kept running.
#[derive(Debug)]
pub struct Scaler {
    stop: CancellationToken,
    now: CancellationToken,
    troubles: mpsc::UnboundedReceiver<Trouble>,
    keeper: JoinHandle<Ended>,
}

/// How a stop went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It stopped its workers, and itself.
    InOrder,
    /// It was killed; workers may be left.
    Killed,
}

impl Scaler {
    /// Starts it, and keeps it running until it is stopped or dropped.
    pub fn start(launch: Launch) -> std::io::Result<Scaler> {
        begin_log(&launch.log);
        let child = spawn(&launch)?;
        let (stop, now) = (CancellationToken::new(), CancellationToken::new());
        let (report, troubles) = mpsc::unbounded_channel();
        let keeper = tokio::spawn(keep(launch, child, stop.clone(), now.clone(), report));
        Ok(Scaler { stop, now, troubles, keeper })
    }

    /// What goes wrong next, with it or its workers; waits until something does. May be dropped at any await.
    pub async fn trouble(&mut self) -> Trouble {
        match self.troubles.recv().await {
            Some(trouble) => trouble,
            None => std::future::pending().await,
        }
    }

    /// Stops it and its workers: at most 25 s, or 8 s from the moment when `now` is cancelled.
    pub async fn stop(mut self, now: &CancellationToken) -> Ended {
        self.stop.cancel();
        let ended = tokio::select! {
            ended = &mut self.keeper => ended,
            () = now.cancelled() => {
                self.now.cancel();
                (&mut self.keeper).await
            }
        };
        ended.unwrap_or(Ended::Killed)
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        // The child's input closes with its keeper.
        self.keeper.abort();
    }
}

async fn keep(
    launch: Launch,
    mut child: Child,
    stop: CancellationToken,
    now: CancellationToken,
    report: mpsc::UnboundedSender<Trouble>,
) -> Ended {
    let mut in_a_row = 0;
    loop {
        // Waiting would close its input, which it takes for the order to stop.
        let (started, _leash) = (Instant::now(), child.stdin.take());
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(listen(stdout, report.clone()));
        }
        let ended = tokio::select! {
            ended = child.wait() => ended,
            () = stop.cancelled() => return end(child, &now).await,
        };
        in_a_row = if started.elapsed() < STARTED_WELL { in_a_row + 1 } else { 1 };
        let mut how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
        child = loop {
            let pause = Duration::from_secs(1 << (in_a_row - 1).min(5));
            let message = format!("the scaler ended ({how}); it is started again in {} s", pause.as_secs());
            _ = report.send(Trouble::ScalerDied { message, in_a_row });
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.cancelled() => return Ended::InOrder,
            }
            match spawn(&launch) {
                Ok(child) => break child,
                Err(error) => (how, in_a_row) = (error.to_string(), in_a_row + 1),
            }
        };
    }
}

fn spawn(launch: &Launch) -> std::io::Result<Child> {
    let log = open_log(&launch.log)?;
    let mut command = Command::new(&launch.program);
    command
        .arg("--stop-on-stdin-close")
        .envs(launch.set.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .process_group(0);
    for name in launch.unset {
        command.env_remove(name);
    }
    command.spawn()
}

async fn listen(stdout: ChildStdout, report: mpsc::UnboundedSender<Trouble>) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match Trouble::of_fleet(&line) {
            Some(trouble) => _ = report.send(trouble),
            None => tracing::debug!(line, "the scaler says something else"),
        }
    }
}

/// SIGTERM and patience, once more when nobody has that, SIGKILL.
async fn end(mut child: Child, now: &CancellationToken) -> Ended {
    ask(&child);
    tokio::select! {
        _ = child.wait() => return Ended::InOrder,
        () = sleep(STOPS_WITHIN) => {}
        () = now.cancelled() => {}
    }
    let until = Instant::now() + STOPS_AT_ONCE_WITHIN;
    while now.is_cancelled() && Instant::now() < until {
        ask(&child);
        if timeout(ONCE_MORE, child.wait()).await.is_ok() {
            return Ended::InOrder;
        }
    }
    _ = child.kill().await;
    Ended::Killed
}

fn ask(child: &Child) {
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) {
        // It may have ended just now; that is what it is for.
        _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
}

fn open_log(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn begin_log(path: &Path) {
    if path.metadata().is_ok_and(|log| log.len() > LOG_LIMIT)
        && let Err(error) = std::fs::rename(path, path.with_extension("log.1"))
    {
        tracing::warn!(%error, path = %path.display(), "the log could not be put aside");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn launch(dir: &Path, script: &str) -> Launch {
        let program = dir.join("scaler");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let log = dir.join("log");
        Launch { program, set: vec![("GREETING", "hello".into())], unset: &["PWD"], log }
    }

    #[tokio::test]
    async fn a_program_that_dies_is_started_again_and_each_death_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let mut scaler = Scaler::start(launch(dir.path(), "echo $GREETING >&2; exit 7")).unwrap();
        for expected in 1..=2 {
            let told = scaler.trouble().await;
            let Trouble::ScalerDied { message, in_a_row } = &told else { panic!("{told:?}") };
            assert!(message.contains("exit status: 7") && *in_a_row == expected, "{told:?}");
        }
        scaler.stop(&CancellationToken::new()).await;
        assert_eq!(std::fs::read_to_string(dir.path().join("log")).unwrap(), "hello\nhello\n");
    }

    #[tokio::test]
    async fn stopping_waits_for_what_the_program_still_has_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let script = "trap 'echo bye >&2; exit 0' TERM; echo up > $0.up; read line; echo closed >&2";
        let launch = launch(dir.path(), script);
        let up = dir.path().join("scaler.up");
        let scaler = Scaler::start(launch).unwrap();
        while !up.exists() {
            tokio::task::yield_now().await;
        }
        scaler.stop(&CancellationToken::new()).await;
        assert_eq!(std::fs::read_to_string(dir.path().join("log")).unwrap(), "bye\n");
    }

    #[tokio::test]
    async fn what_it_tells_of_its_workers_is_handed_on() {
        let dir = tempfile::tempdir().unwrap();
        let script =
            "echo chatter; echo '{\"mishap\": \"a worker ended at once\", \"stillborn\": 3}'; read line";
        let mut scaler = Scaler::start(launch(dir.path(), script)).unwrap();
        let told = scaler.trouble().await;
        assert_eq!(told, Trouble::Fleet { message: "a worker ended at once".into(), stillborn: 3 });
        let now = CancellationToken::new();
        now.cancel();
        assert_eq!(scaler.stop(&now).await, Ended::InOrder);
    }

    #[tokio::test]
    async fn a_second_signal_reaches_the_program_before_it_is_killed() {
        let dir = tempfile::tempdir().unwrap();
        let script =
            "trap 'trap \"echo now >&2; exit 0\" TERM' TERM; echo up > $0.up; while :; do sleep 0.05; done";
        let launch = launch(dir.path(), script);
        let up = dir.path().join("scaler.up");
        let scaler = Scaler::start(launch).unwrap();
        while !up.exists() {
            tokio::task::yield_now().await;
        }
        let now = CancellationToken::new();
        now.cancel();
        assert_eq!(scaler.stop(&now).await, Ended::InOrder);
        assert_eq!(std::fs::read_to_string(dir.path().join("log")).unwrap(), "now\n");
    }
}
