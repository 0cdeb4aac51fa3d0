//! Workers as processes of this machine: what `codeteam up` uses.
//!
//! Each child's standard input is a leash: closing it says "finish what you do, then go", and it closes by itself when the
//! scaler dies, however that happens. SIGTERM says "give back what you do, and go", a second one "now". Its standard error
//! is ours; unless that is a terminal, where a person reads it, it passes through us, so that we can say why it ended.

use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Mode, WorkerId};
use nix::sys::signal::Signal;
use tokio::process::{ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::actuator::{Actuator, Mishap, News};

mod child;
mod last_words;

use child::{Ended, watch};

/// A child that ends sooner than this with an error was never of use: the next one waits.
const TOO_SOON: Duration = Duration::from_secs(5);
/// The longest wait between such children.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long children may take to give their jobs back.
const STOPPING: Duration = Duration::from_secs(15);
/// How often they are told to do so at once, before they are killed, and how long each telling may take. More than once,
/// because signals that arrive together count as one.
const AT_ONCE: (u32, Duration) = (10, Duration::from_millis(500));
/// A worker whose lease ran out and that is not heard of for so long hangs. It is more than the 10 s between two
/// heartbeats, which a machine that has just slept must be given.
const HANGS: Duration = Duration::from_secs(12);

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
    news: Vec<News>,
}

struct Running {
    mode: Mode,
    id: WorkerId,
    /// None: it has been told to go when it is done.
    leash: Option<ChildStdin>,
    signals: mpsc::UnboundedSender<Signal>,
    born: Instant,
    /// Since when its lease has been seen to be over, at every look. None: it is heard of.
    silent_since: Option<Instant>,
    killed: bool,
}

impl Processes {
    pub fn new(recipe: Recipe) -> Processes {
        let (report, ended) = mpsc::unbounded_channel();
        let not_before = Instant::now();
        Processes { recipe, children: Vec::new(), ended, report, stillborn: 0, not_before, news: Vec::new() }
    }

    fn start(&mut self, mode: Mode) -> std::io::Result<()> {
        let id = WorkerId(uuid::Uuid::new_v4());
        let at_terminal = std::io::stderr().is_terminal();
        let mut child = Command::new(&self.recipe.program)
            .arg("--retire-on-stdin-close")
            .env("WORKER_ID", id.to_string())
            .env("MODE", mode.as_str())
            .env("SECRETS", &self.recipe.secrets)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(if at_terminal { Stdio::inherit() } else { Stdio::piped() })
            // A terminal's Ctrl-C is the supervisor's to hear.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (signals, inbox) = mpsc::unbounded_channel();
        let leash = child.stdin.take();
        let born = Instant::now();
        self.children.push(Running { mode, id, leash, signals, born, silent_since: None, killed: false });
        tokio::spawn(watch(child, id, inbox, self.report.clone()));
        Ok(())
    }

    fn tell(&mut self, mishap: String, stillborn: u32) {
        self.news.push(News::Mishap(Mishap { mishap, stillborn }));
    }

    async fn end_all(&mut self, now: &CancellationToken) {
        self.signal_all(Signal::SIGTERM);
        let all_gone = tokio::select! {
            all_gone = self.all_gone_within(STOPPING) => all_gone,
            () = now.cancelled() => false,
        };
        if all_gone {
            return;
        }
        if now.is_cancelled() {
            let (times, patience) = AT_ONCE;
            for _ in 0..times {
                self.signal_all(Signal::SIGTERM);
                if self.all_gone_within(patience).await {
                    return;
                }
            }
        }
        self.signal_all(Signal::SIGKILL);
        if !self.all_gone_within(Duration::from_secs(5)).await {
            tracing::error!(left = self.children.len(), "workers are left behind");
        }
    }

    fn running(&self, mode: Mode) -> u32 {
        count(self.children.iter().filter(|child| child.mode == mode))
    }

    fn note_end(&mut self, end: Ended) {
        self.children.retain(|child| child.id != end.id);
        match end.failure {
            Some(failure) if end.lived < TOO_SOON => {
                self.note_stillborn(format!("a worker ended at once ({failure})"));
            }
            Some(failure) => {
                self.stillborn = 0;
                self.tell(format!("a worker ended ({failure})"), 0);
            }
            None => self.stillborn = 0,
        }
    }

    /// Nothing came of a child; the next one waits, longer each time.
    fn note_stillborn(&mut self, mishap: String) {
        self.stillborn += 1;
        let wait = Duration::from_secs(1 << self.stillborn.min(5)).min(LONGEST_WAIT);
        self.not_before = Instant::now() + wait;
        let seconds = wait.as_secs();
        tracing::info!(seconds, in_a_row = self.stillborn, "the next worker waits");
        let others_live = self.children.iter().any(|child| child.born.elapsed() >= TOO_SOON);
        self.tell(mishap, if others_live { 0 } else { self.stillborn });
    }

    fn signal_all(&self, signal: Signal) {
        for child in &self.children {
            // Nobody takes it when the child has ended.
            _ = child.signals.send(signal);
        }
    }

    /// Whether all children have ended within `patience`.
    async fn all_gone_within(&mut self, patience: Duration) -> bool {
        let all_gone = async {
            while !self.children.is_empty() {
                if let Some(end) = self.ended.recv().await {
                    self.note_end(end);
                }
            }
        };
        timeout(patience, all_gone).await.is_ok()
    }
}

#[async_trait]
impl Actuator for Processes {
    async fn take_over(&mut self) {}

    async fn set(&mut self, mode: Mode, target: u32, busy: &HashSet<WorkerId>) {
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
                let program = self.recipe.program.display();
                self.note_stillborn(format!("the worker program {program} cannot be started: {error}"));
            }
        }
        if self.running(mode) >= target {
            self.news.push(News::Called { mode, target, at: Instant::now() });
        }
    }

    fn standing(&self, mode: Mode) -> Option<u32> {
        Some(self.running(mode))
    }

    fn workers(&self) -> Vec<WorkerId> {
        self.children.iter().map(|child| child.id).collect()
    }

    fn end_silent(&mut self, silent: &HashSet<WorkerId>) {
        for child in &mut self.children {
            if !silent.contains(&child.id) {
                child.silent_since = None;
                continue;
            }
            let since = *child.silent_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= HANGS && !std::mem::replace(&mut child.killed, true) {
                let mishap = format!("worker {} hangs and is killed: another takes its job up", child.id);
                self.news.push(News::Mishap(Mishap { mishap, stillborn: 0 }));
                _ = child.signals.send(Signal::SIGKILL);
            }
        }
    }

    async fn changed(&mut self) {
        let waiting = self.not_before > Instant::now();
        tokio::select! {
            Some(end) = self.ended.recv() => self.note_end(end),
            () = sleep_until(self.not_before), if waiting => {}
        }
    }

    fn news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    async fn stop(mut self, now: &CancellationToken) {
        self.end_all(now).await;
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// With a shell script in the worker's place.
    fn processes(dir: &std::path::Path, script: &str) -> Processes {
        let program = dir.join("worker");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        Processes::new(Recipe { program, secrets: String::new() })
    }

    fn mishaps(hands: &mut Processes) -> Vec<Mishap> {
        let mishap = |news| match news {
            News::Mishap(mishap) => Some(mishap),
            _ => None,
        };
        hands.news().into_iter().filter_map(mishap).collect()
    }

    #[tokio::test]
    async fn workers_that_end_at_once_are_counted_and_told_with_their_last_words() {
        let dir = tempfile::tempdir().unwrap();
        let mut hands = processes(dir.path(), "echo 'error: no sandbox here' >&2; exit 7");
        for expected in 1..=2 {
            hands.set(Mode::Mechanic, 1, &HashSet::new()).await;
            assert_eq!(mishaps(&mut hands), []);
            hands.changed().await;
            let mishap = "a worker ended at once (exit status: 7: no sandbox here)".to_owned();
            hands.set(Mode::Mechanic, 1, &HashSet::new()).await;
            assert_eq!(mishaps(&mut hands), [Mishap { mishap, stillborn: expected }]);
            assert_eq!(hands.running(Mode::Mechanic), 0, "the next one waits");
            hands.changed().await;
        }
    }

    #[tokio::test]
    async fn a_program_that_cannot_be_started_counts_as_well() {
        let dir = tempfile::tempdir().unwrap();
        let mut hands = processes(dir.path(), "");
        std::fs::remove_file(dir.path().join("worker")).unwrap();
        hands.set(Mode::Genius, 3, &HashSet::new()).await;
        let told = mishaps(&mut hands);
        assert_eq!(told.len(), 1);
        assert!(told[0].stillborn == 1 && told[0].mishap.contains("cannot be started"), "{told:?}");
    }

    #[tokio::test]
    async fn who_is_told_twice_to_stop_tells_its_workers_twice() {
        let dir = tempfile::tempdir().unwrap();
        let told_twice = format!(
            "trap 'trap \"echo at once > {0}/end; exit 0\" TERM' TERM; echo > {0}/up; while :; do sleep 0.05; done",
            dir.path().display()
        );
        let mut hands = processes(dir.path(), &told_twice);
        hands.set(Mode::Mechanic, 1, &HashSet::new()).await;
        let file = |name: &str| dir.path().join(name);
        while !file("up").exists() {
            tokio::task::yield_now().await;
        }
        let now = CancellationToken::new();
        now.cancel();
        hands.end_all(&now).await;
        assert_eq!(hands.running(Mode::Mechanic), 0);
        assert_eq!(std::fs::read_to_string(file("end")).unwrap(), "at once\n");
    }
}
