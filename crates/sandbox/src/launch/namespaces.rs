//! Namespaces: the launcher moves into new ones and forks their process 1.

use std::fs;
use std::io::PipeReader;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid, sethostname};

use super::disk::Disk;
use super::supervise::{self, Watch};
use super::trouble::{During, Trouble};
use super::{close_to_others, init, sys};
use crate::network::PROXY;
use crate::wire::Spec;

/// Confines and runs; returns when nothing is left.
pub fn start(spec: &Spec, control: &UnixStream) -> Result<(), Trouble> {
    enter(spec)?;
    close_to_others()?;
    if spec.connected {
        // A socket stays in the network that it was made in, whoever holds it.
        let listener = TcpListener::bind(PROXY).during("listening for the proxy")?;
        sys::send_with_fd(control, b"\n", listener.as_fd(), false)
            .during("handing the proxy's socket over")?;
    }
    let mut watch = Watch::new(control, Disk::new(vec![spec.dir.clone()], spec.limits))?;
    let (alive, held): (PipeReader, _) = std::io::pipe().during("making a pipe")?;
    match sys::fork_once().during("starting the namespaces' first process")? {
        Some(init) => {
            drop(alive);
            let result = supervise::namespaces(&mut watch, control, init);
            // Its closing tells init that the supervisor is gone.
            drop(held);
            result
        }
        None => {
            drop(held);
            init::run(spec, control, &alive)
        }
    }
}

/// Only who is not root needs a user namespace: in it, the caller's own ids and the capabilities to set the rest up.
fn enter(spec: &Spec) -> Result<(), Trouble> {
    let (uid, gid) = (getuid(), getgid());
    let own = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    if spec.uid.is_some() {
        unshare(own).during("making namespaces")?;
    } else {
        unshare(own | CloneFlags::CLONE_NEWUSER).during("making namespaces without root")?;
        fs::write("/proc/self/setgroups", "deny").during("giving up group changes")?;
        fs::write("/proc/self/uid_map", format!("{uid} {uid} 1")).during("keeping the user id")?;
        fs::write("/proc/self/gid_map", format!("{gid} {gid} 1")).during("keeping the group id")?;
    }
    sethostname("sandbox").during("naming the host")?;
    sys::loopback_up().during("switching localhost on")
}
