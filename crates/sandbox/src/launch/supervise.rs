//! The supervisor: waits for the end of the command or of the caller, whichever comes first, and leaves nobody alive.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::chown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::disk::{Disk, INTERVAL};
use super::outlet::Outlet;
use super::trouble::{During, Trouble};
use super::{child, close_to_others, descendants, sys, tell};
use crate::wire::{Report, Spec};

/// What the supervisor waits for: its children, and the closing of the socket.
pub struct Watch<'a> {
    control: &'a UnixStream,
    children: SignalFd,
    outlet: Option<Outlet>,
    disk: Disk,
    looked: Instant,
}

/// What the supervisor woke up for.
enum News {
    /// The caller has closed the socket: everything must end.
    Closed,
    /// The command's folders are too full: it must end.
    Overfull,
    /// Perhaps a child has ended.
    Other,
}

impl Watch<'_> {
    /// Blocks SIGCHLD, so make it before the first fork.
    pub fn new(control: &UnixStream, disk: Disk) -> Result<Watch<'_>, Trouble> {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGCHLD);
        mask.thread_block().during("blocking a signal")?;
        let children = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .during("watching for the end of children")?;
        Ok(Watch { control, children, outlet: None, disk, looked: Instant::now() })
    }

    /// Waits for something to happen.
    fn next(&mut self) -> Result<News, Trouble> {
        let mut watched = vec![
            PollFd::new(self.control.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.children.as_fd(), PollFlags::POLLIN),
        ];
        watched.extend(self.outlet.iter().map(|outlet| PollFd::new(outlet.calls(), PollFlags::POLLIN)));
        let interval = PollTimeout::try_from(INTERVAL).unwrap_or(PollTimeout::NONE);
        match poll(&mut watched, interval) {
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => return Err(error).during("waiting for the command"),
        }
        while let Ok(Some(_)) = self.children.read_signal() {}
        let closed = watched[0].any().unwrap_or(false);
        let events = watched.get(2).and_then(PollFd::revents).unwrap_or(PollFlags::empty());
        if events.contains(PollFlags::POLLIN) {
            self.outlet.iter_mut().for_each(|outlet| outlet.answer(self.control));
        } else if !events.is_empty() {
            // Nobody is left who could call.
            self.outlet = None;
        }
        if closed {
            return Ok(News::Closed);
        }
        if self.looked.elapsed() < INTERVAL {
            return Ok(News::Other);
        }
        self.looked = Instant::now();
        let control = self.control;
        Ok(if self.disk.is_over(|| is_closed(control)) { News::Overfull } else { News::Other })
    }
}

fn is_closed(control: &UnixStream) -> bool {
    let mut watched = [PollFd::new(control.as_fd(), PollFlags::POLLIN)];
    poll(&mut watched, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

/// Watches over the first process of namespaces, whose end is the end of all in them.
pub fn namespaces(watch: &mut Watch<'_>, control: &UnixStream, init: Pid) -> Result<(), Trouble> {
    loop {
        let news = watch.next()?;
        if !matches!(news, News::Other) {
            if matches!(news, News::Overfull) {
                tell(control, &Report::Overfull);
            }
            let _ = kill(init, Signal::SIGKILL);
            let _ = waitpid(init, None);
            return Ok(());
        }
        match waitpid(init, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => {}
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                tell(control, &Report::Failed(format!("{signal} ended the sandbox's first process")));
                return Ok(());
            }
            _ => return Ok(()),
        }
    }
}

/// Confines and runs without namespaces; returns when nothing is left.
pub fn start(spec: &Spec, control: &UnixStream) -> Result<(), Trouble> {
    close_to_others()?;
    // Whatever loses its parent becomes the supervisor's child, so nothing can leave its family.
    prctl::set_child_subreaper(true).during("becoming the reaper of orphans")?;
    let home = make_home(spec)?;
    let disk = Disk::new(vec![spec.dir.clone(), home.clone()], spec.limits);
    let mut watch = Watch::new(control, disk)?;
    let calls = spec.connected.then(UnixStream::pair).transpose().during("making a pair of sockets")?;
    let command = match sys::fork_once() {
        Ok(Some(command)) => command,
        Ok(None) => {
            let calls = calls.map(|(_, theirs)| theirs);
            return child::become_command(spec, control, &home, calls.as_ref());
        }
        Err(error) => return Err(error).during("starting the command"),
    };
    if let Some((ours, theirs)) = calls {
        drop(theirs);
        // Nothing comes when the command could not be started, which it says itself.
        let received = sys::receive_with_fds(ours.as_fd(), &mut Vec::new());
        watch.outlet = received.ok().and_then(|(_, mut fds)| fds.pop()).map(Outlet::new);
    }
    let result = await_command(&mut watch, control, command);
    descendants::kill_all();
    let _ = fs::remove_dir_all(&home);
    result
}

fn await_command(watch: &mut Watch<'_>, control: &UnixStream, command: Pid) -> Result<(), Trouble> {
    loop {
        match watch.next()? {
            News::Closed => return Ok(()),
            News::Overfull => {
                tell(control, &Report::Overfull);
                return Ok(());
            }
            News::Other => {}
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == command => {
                    tell(control, &Report::Exited(code));
                    return Ok(());
                }
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == command => {
                    tell(control, &Report::Signalled(signal as i32));
                    return Ok(());
                }
                Ok(WaitStatus::StillAlive) | Err(_) => break,
                Ok(_) => {}
            }
        }
    }
}

/// A private folder, where no private `/tmp` can be mounted.
fn make_home(spec: &Spec) -> Result<PathBuf, Trouble> {
    let step = "making a private folder";
    let home = nix::unistd::mkdtemp(&spec.scratch.join("sandbox-home-XXXXXX")).during(step)?;
    let owned = |path: &Path| chown(path, spec.uid, spec.uid).during(step);
    fs::create_dir(home.join("tmp")).during(step)?;
    owned(&home.join("tmp"))?;
    owned(&home)?;
    Ok(home)
}
