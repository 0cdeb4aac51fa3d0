//! A worker's sign of life: a small file that `worker health` reads in the same container.
//!
//! It is written by the same task that lives the worker's life, and only after the runtime's other threads have answered,
//! so that it stops when either is blocked. It also stops when what the worker is at has outlived its time. A database
//! that is away does not stop it: waiting for that is what a worker should do.
//!
//! The file holds the process's id and the time on the system's monotonic clock, which all processes of one machine share: no
//! step of the wall clock makes a worker look dead, or alive.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use nix::time::ClockId;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Many beats fit into the bound at which a worker counts as hung.
const BEAT: Duration = Duration::from_secs(2);
/// What a step may take beyond its own time: writes that wait for the database ([`crate::lease`]: 25 s, and 10 s for the last
/// statement), and the removal of a large checkout.
const GRACE: Duration = Duration::from_secs(120);

/// Where the pulse is.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Settings {
    /// The file in which a worker leaves its sign of life and `worker health` finds it. Workers of one machine that share it cannot
    /// be told apart [default: codeteam-worker.pulse in the system's temporary folder].
    #[arg(long, env = "PULSE_FILE")]
    pulse_file: Option<PathBuf>,
}

impl Settings {
    /// The path of the file.
    pub fn path(&self) -> PathBuf {
        self.pulse_file.clone().unwrap_or_else(|| std::env::temp_dir().join("codeteam-worker.pulse"))
    }
}

/// The pulse of this process. The file goes with it.
pub struct Pulse {
    path: PathBuf,
    /// When what the worker is at must be over. None: it sleeps, for as long as nobody rings.
    due: watch::Sender<Option<Instant>>,
}

impl Pulse {
    /// In the file at `path`; nothing is written yet.
    pub fn new(path: PathBuf) -> Pulse {
        Pulse { path, due: watch::Sender::new(None) }
    }

    /// From now on the worker is at something that must be over at `due`, give or take [`GRACE`].
    pub fn until(&self, due: Instant) {
        self.due.send_replace(Some(due + GRACE));
    }

    /// From now on it sleeps.
    pub fn rests(&self) {
        self.due.send_replace(None);
    }

    /// Beats for as long as it is polled.
    pub async fn beat(&self) -> Infallible {
        let mut complained = false;
        loop {
            // The runtime's own threads: what is polled here is the worker's life, on another.
            let pool_answers = tokio::spawn(async {}).await.is_ok();
            if pool_answers && may_beat(*self.due.borrow(), Instant::now()) {
                match write(&self.path) {
                    Ok(()) => complained = false,
                    Err(error) if !complained => {
                        complained = true;
                        tracing::warn!(%error, path = %self.path.display(),
                            "no sign of life can be left: a health check would fail. Set PULSE_FILE to another file");
                    }
                    Err(_) => {}
                }
            }
            sleep(BEAT).await;
        }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        // Another process may have taken the file over.
        if read(&self.path).is_ok_and(|sign| sign.pid == std::process::id()) {
            _ = std::fs::remove_file(&self.path);
        }
    }
}

fn may_beat(due: Option<Instant>, now: Instant) -> bool {
    due.is_none_or(|due| now < due)
}

/// What is read from a pulse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign {
    pub pid: u32,
    /// Since when nothing was heard of it.
    pub age: Duration,
}

/// What a worker left at `path`. [`io::ErrorKind::NotFound`]: none has come so far.
pub fn read(path: &Path) -> io::Result<Sign> {
    let now = monotonic()?;
    parse(&std::fs::read_to_string(path)?, now)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is no sign of life of a worker"))
}

/// None: somebody else's file, or one from before the machine started.
fn parse(text: &str, now: Duration) -> Option<Sign> {
    let (pid, at) = text.trim().split_once(' ')?;
    let (pid, at) = (pid.trim().parse().ok()?, Duration::from_millis(at.trim().parse().ok()?));
    Some(Sign { pid, age: now.checked_sub(at)? })
}

/// Of one length each time, so that no reader sees a part of it.
fn write(path: &Path) -> io::Result<()> {
    let line = format!("{:>10} {:>20}\n", std::process::id(), monotonic()?.as_millis());
    // In a folder that all may write to, a link could lead anywhere.
    let mut file: File = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o644)
        .custom_flags(nix::libc::O_NOFOLLOW)
        .open(path)?;
    file.write_all(line.as_bytes())
}

fn monotonic() -> io::Result<Duration> {
    Ok(ClockId::CLOCK_MONOTONIC.now()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_beats_at_rest_and_until_what_it_is_at_is_overdue() {
        let now = Instant::now();
        assert!(may_beat(None, now));
        let pulse = Pulse::new(PathBuf::new());
        pulse.until(now);
        let due = *pulse.due.borrow();
        assert!(may_beat(due, now + GRACE - Duration::from_millis(1)));
        assert!(!may_beat(due, now + GRACE));
        pulse.rests();
        assert!(may_beat(*pulse.due.borrow(), now + GRACE));
    }

    #[tokio::test(start_paused = true)]
    async fn the_file_stays_as_it_is_once_the_work_is_overdue() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pulse");
        let pulse = Pulse::new(path.clone());
        let beats = async |n: u32| {
            let beats = async { match pulse.beat().await {} };
            tokio::time::timeout(BEAT * n, beats).await.unwrap_err();
        };
        beats(1).await;
        assert_eq!(read(&path).unwrap().pid, std::process::id());
        std::fs::remove_file(&path).unwrap();
        pulse.until(Instant::now());
        tokio::time::advance(GRACE).await;
        beats(5).await;
        assert!(!path.exists(), "an overdue worker gave a sign of life");
        pulse.rests();
        beats(1).await;
        drop(pulse);
        assert!(!path.exists(), "it goes with the worker");
    }

    #[test]
    fn a_pulse_is_the_newest_one_and_follows_no_link() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("pulse"), dir.path().join("link"));
        std::fs::write(&path, "         1                    2\n").unwrap();
        write(&path).unwrap();
        assert_eq!(read(&path).unwrap().pid, std::process::id());
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(write(&link).is_err());
    }

    #[test]
    fn what_is_no_pulse_is_none() {
        let now = Duration::from_secs(10);
        let age = Duration::from_millis(9_500);
        assert_eq!(parse("  7   500\n", now), Some(Sign { pid: 7, age }));
        for wrong in ["", "7", "x 500", "7 x", "7 10001"] {
            assert_eq!(parse(wrong, now), None, "{wrong}");
        }
    }
}
