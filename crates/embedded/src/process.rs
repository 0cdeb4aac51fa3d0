//! Child processes that never outlive us and that a terminal's Ctrl-C does not reach.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::account::Account;
use crate::{EmbeddedError, Shutdown};

/// What the programs are told of our environment: where libraries and programs are, nothing else. PG* variables
/// would change the server, and secrets have no business in it.
const PASSED_ON: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];

/// How often a child is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// `program`, to be run as `account` in `dir`, with its output appended to `log`.
///
/// The kernel interrupts it when the THREAD that spawns it ends, not only when the process does. So spawn it from
/// a thread that stays.
pub(crate) fn command(program: &Path, account: &Account, dir: &Path, log: File) -> io::Result<Command> {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").env("TZ", "UTC");
    command.envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.current_dir(dir).process_group(0);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    if account.stand_in {
        command.uid(account.uid).gid(account.gid);
    }
    #[cfg(target_os = "linux")]
    {
        let owner = Pid::this();
        let die_with_owner = move || {
            nix::sys::prctl::set_pdeathsig(Signal::SIGINT)?;
            // The owner may have died before the line above; then nobody would ever send the signal.
            if nix::unistd::getppid() == owner { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
        };
        // SAFETY: between fork and exec only prctl and getppid are called, both async-signal-safe, and neither
        // allocates. The closure runs after the change of user, which would clear the setting.
        #[allow(unsafe_code)]
        unsafe {
            command.pre_exec(die_with_owner);
        }
    }
    Ok(command)
}

/// Waits until `child` ends, for at most `limit`. None: it still runs.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if start.elapsed() < limit => pause(LOOK_EVERY),
            Ok(None) => return None,
            Err(error) => {
                tracing::warn!(%error, pid = child.id(), "cannot wait for the process");
                return None;
            }
        }
    }
}

/// How long each step of [`halt`] may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub fast: Duration,
    pub immediate: Duration,
}

impl Patience {
    /// A checkpoint of a busy server takes a while, and it kills its own children only after 5 s.
    pub const CALM: Patience = Patience { fast: Duration::from_secs(30), immediate: Duration::from_secs(7) };
    /// For destructors.
    pub const SHORT: Patience = Patience { fast: Duration::from_secs(2), immediate: Duration::from_secs(2) };
    const KILLED: Duration = Duration::from_secs(2);
}

/// Brings a server down, with less and less courtesy, and reaps it.
pub(crate) fn halt(child: &mut Child, how: Shutdown, patience: Patience) -> Result<(), EmbeddedError> {
    if how == Shutdown::Fast {
        signal(child, Signal::SIGINT);
        if wait(child, patience.fast).is_some() {
            return Ok(());
        }
        tracing::warn!(pid = child.id(), "the server does not shut down; it is told to quit");
    }
    signal(child, Signal::SIGQUIT);
    if wait(child, patience.immediate).is_some() {
        return Ok(());
    }
    tracing::warn!(pid = child.id(), "the server does not quit; it is killed");
    signal(child, Signal::SIGKILL);
    match wait(child, Patience::KILLED) {
        Some(_) => Ok(()),
        None => Err(EmbeddedError::NotStopped { pid: child.id() }),
    }
}

/// The process is not reaped yet, so its number cannot be somebody else's; that it has ended already is no error.
fn signal(child: &Child, signal: Signal) {
    let sent = i32::try_from(child.id()).map(|pid| kill(Pid::from_raw(pid), signal));
    if let Ok(Err(error)) = sent {
        tracing::debug!(%error, pid = child.id(), %signal, "signal not sent");
    }
}

/// Waits on the server's own thread.
#[allow(clippy::disallowed_methods)] // there is no runtime on this thread that it could block
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
