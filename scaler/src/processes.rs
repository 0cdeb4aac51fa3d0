//! Workers as processes of this machine: what `codeteam up` uses.
//!
//! Each child's standard input is a leash: closing it says "finish what you do, then go", and it closes by itself when the
//! scaler dies, however that happens. SIGTERM says "give back what you do, and go".

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Mode, WorkerId};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use crate::actuator::{Actuator, Mishap};

/// A child that ends sooner than this with an error was never of use: the next one waits.
const TOO_SOON: Duration = Duration::from_secs(5);
/// The longest wait between such children.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long children may take to give their jobs back.
const STOPPING: Duration = Duration::from_secs(15);

/// What a worker process is started with.
pub struct Recipe {
    /// The worker's executable.
    pub program: PathBuf,
    /// Its SECRETS.
    pub secrets: String,
}

pub struct Processes {
    recipe: Recipe,
    children: Vec<Running>,
    ended: mpsc::UnboundedReceiver<Ended>,
    report: mpsc::UnboundedSender<Ended>,
    /// Children that ended too soon, in a row.
    stillborn: u32,
    /// No child is started before.
    not_before: Instant,
    mishaps: Vec<Mishap>,
}

struct Running {
    mode: Mode,
    id: WorkerId,
    /// None: it has been told to go when it is done.
    leash: Option<ChildStdin>,
    signals: mpsc::UnboundedSender<Signal>,
}

struct Ended {
    id: WorkerId,
    lived: Duration,
    failure: Option<String>,
}

impl Processes {
    pub fn new(recipe: Recipe) -> Processes {
        let (report, ended) = mpsc::unbounded_channel();
        let not_before = Instant::now();
        Processes {
            recipe,
            children: Vec::new(),
            ended,
            report,
            stillborn: 0,
            not_before,
            mishaps: Vec::new(),
        }
    }

    fn start(&mut self, mode: Mode) -> std::io::Result<()> {
        let id = WorkerId(uuid::Uuid::new_v4());
        let mut child = Command::new(&self.recipe.program)
            .arg("--retire-on-stdin-close")
            .env("WORKER_ID", id.to_string())
            .env("MODE", mode.as_str())
            .env("SECRETS", &self.recipe.secrets)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            // A terminal's Ctrl-C is the supervisor's to hear.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (signals, inbox) = mpsc::unbounded_channel();
        self.children.push(Running { mode, id, leash: child.stdin.take(), signals });
        tokio::spawn(watch(child, id, inbox, self.report.clone()));
        Ok(())
    }

    fn note_end(&mut self, end: Ended) {
        self.children.retain(|child| child.id != end.id);
        let Some(failure) = end.failure else {
            self.stillborn = 0;
            return;
        };
        if end.lived < TOO_SOON {
            self.stillborn += 1;
            let wait = Duration::from_secs(1 << self.stillborn.min(5)).min(LONGEST_WAIT);
            self.not_before = Instant::now() + wait;
            let seconds = wait.as_secs();
            self.mishaps
                .push(format!("a worker ended at once ({failure}); the next is started in {seconds} s"));
        } else {
            self.mishaps.push(format!("a worker ended ({failure})"));
        }
    }
}

/// Waits for a child's end and hands signals on: only who waits for a process may signal it, or the id may be another's.
async fn watch(
    mut child: Child,
    id: WorkerId,
    mut signals: mpsc::UnboundedReceiver<Signal>,
    report: mpsc::UnboundedSender<Ended>,
) {
    let born = Instant::now();
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            Some(signal) = signals.recv() => {
                if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
                    // It may have ended already; that is what it was for.
                    let _ = kill(Pid::from_raw(pid), signal);
                }
            }
        }
    };
    let failure = match status {
        Ok(status) if status.success() => None,
        Ok(status) => Some(status.to_string()),
        Err(error) => Some(error.to_string()),
    };
    // Nobody listens any more when the scaler itself goes.
    let _ = report.send(Ended { id, lived: born.elapsed(), failure });
}

#[async_trait]
impl Actuator for Processes {
    async fn set(&mut self, mode: Mode, target: u32, busy: &HashSet<WorkerId>) -> Vec<Mishap> {
        let mut surplus = self.running(mode).saturating_sub(target);
        // Those that have been told to go are part of the surplus already.
        surplus = surplus
            .saturating_sub(count(self.children.iter().filter(|c| c.mode == mode && c.leash.is_none())));
        // The youngest first: a worker that has just been started is the likeliest to be idle.
        let idle =
            |child: &&mut Running| child.mode == mode && child.leash.is_some() && !busy.contains(&child.id);
        for child in self.children.iter_mut().rev().filter(idle).take(surplus as usize) {
            child.leash = None;
        }
        while self.running(mode) < target && Instant::now() >= self.not_before {
            if let Err(error) = self.start(mode) {
                let program = self.recipe.program.display().to_string();
                self.not_before = Instant::now() + LONGEST_WAIT;
                self.mishaps.push(format!("the worker program {program} cannot be started: {error}"));
            }
        }
        std::mem::take(&mut self.mishaps)
    }

    fn running(&self, mode: Mode) -> u32 {
        count(self.children.iter().filter(|child| child.mode == mode))
    }

    async fn changed(&mut self) {
        let waiting = self.not_before > Instant::now();
        tokio::select! {
            Some(end) = self.ended.recv() => self.note_end(end),
            () = sleep_until(self.not_before), if waiting => {}
        }
    }

    async fn stop(&mut self) {
        for (signal, patience) in [(Signal::SIGTERM, STOPPING), (Signal::SIGKILL, Duration::from_secs(5))] {
            for child in &self.children {
                let _ = child.signals.send(signal);
            }
            let all_gone = async {
                while !self.children.is_empty() {
                    if let Some(end) = self.ended.recv().await {
                        self.note_end(end);
                    }
                }
            };
            if timeout(patience, all_gone).await.is_ok() {
                return;
            }
        }
        tracing::error!(left = self.children.len(), "workers are left behind");
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
