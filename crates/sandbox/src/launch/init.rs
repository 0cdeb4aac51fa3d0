//! Process 1 of the command's namespaces: puts the files in place, starts the command, and ends when it ends.
//!
//! Its end is what kills the command's daemons: the kernel kills every process of a namespace whose first one is gone.

use std::io::PipeReader;
use std::os::unix::net::UnixStream;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::Pid;
use std::os::fd::AsFd;

use super::trouble::{During, Trouble};
use super::{child, mounts, sys, tell};
use crate::wire::{Report, Spec};

/// `alive` reads as closed once the supervisor is gone.
pub fn run(spec: &Spec, control: &UnixStream, alive: &PipeReader) -> Result<(), Trouble> {
    prctl::set_pdeathsig(Signal::SIGKILL).during("tying the namespaces to the launcher")?;
    // It may have died before that.
    let mut watched = [PollFd::new(alive.as_fd(), PollFlags::POLLIN)];
    poll(&mut watched, PollTimeout::ZERO).during("looking for the launcher")?;
    if watched[0].any().unwrap_or(true) {
        return Err(Trouble::new("the launcher is gone"));
    }
    let home = mounts::put_in_place(spec)?;
    match sys::fork_once().during("starting the command")? {
        Some(command) => {
            reap_until(command, control);
            Ok(())
        }
        None => child::become_command(spec, control, &home, None),
    }
}

/// Collects every process that ends, its own children and the orphans that came to it, until `command` has.
fn reap_until(command: Pid, control: &UnixStream) {
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, code)) if pid == command => {
                return tell(control, &Report::Exited(code));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == command => {
                return tell(control, &Report::Signalled(signal as i32));
            }
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(_) => return,
        }
    }
}
