//! The sandbox's attacks on itself, from where a command would make them. What it leaves in files, the caller looks for.

mod network;

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::{Pid, getpid, pause, setsid};

use super::{mounts, sys};
use crate::Level;
use crate::wire::{Probe, Spec};

/// Makes every attack and names those that succeeded.
pub fn attack(spec: &Spec, probe: &Probe) -> Vec<String> {
    let mut leaks = network::attack(spec, probe);
    for pid in [1, spec.caller] {
        // In a namespace of its own, a number that is also this process's is nobody else's.
        if pid != getpid().as_raw() {
            for file in ["environ", "mem", "maps"] {
                let path = format!("/proc/{pid}/{file}");
                if File::open(&path).is_ok() {
                    leaks.push(format!("{path} can be opened"));
                }
            }
            if sys::can_read_memory(pid) {
                leaks.push(format!("the memory of process {pid} can be read"));
            }
        }
    }
    if spec.level != Level::Namespaces && kill(Pid::from_raw(spec.caller), None).is_ok() {
        leaks.push("the caller can be sent signals".to_owned());
    }
    let own = |path: &Path| spec.level == Level::Namespaces && mounts::is_scratch(path);
    for path in probe.unreadable.iter().filter(|path| !own(path) && readable(path, spec)) {
        leaks.push(format!("{} can be read (take the permissions of other users away)", path.display()));
    }
    for path in &probe.overwrite {
        let _ =
            OpenOptions::new().append(true).open(path).and_then(|mut file| file.write_all(b"overwritten"));
        let _ = nix::unistd::truncate(path, 1);
        let _ = fs::rename(path, path.with_extension("moved"));
    }
    for path in &probe.create {
        let _ = fs::write(path, "");
    }
    if fs::write(spec.dir.join("written"), "").is_err() {
        leaks.push("(nothing leaks, but) the workspace cannot be written to".to_owned());
    }
    leave_a_daemon();
    leaks
}

fn readable(path: &Path, spec: &Spec) -> bool {
    if let Ok(mut file) = File::open(path)
        && file.read(&mut [0]).is_ok_and(|bytes| bytes > 0)
    {
        return true;
    }
    if UnixStream::connect(path).is_ok() {
        return true;
    }
    // A cover may hold the way to what lies below it and must be seen.
    let below = |name: &OsStr| {
        let entry = path.join(name);
        [&spec.dir].into_iter().chain(&spec.shown).any(|kept| kept.starts_with(&entry))
    };
    fs::read_dir(path)
        .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| !below(&entry.file_name()))))
}

/// A process that holds the output and ends only when it is killed, as far from its ancestors as it can get.
fn leave_a_daemon() {
    if let Ok(None) = sys::fork_once() {
        let _ = setsid();
        if let Ok(Some(_)) = sys::fork_once() {
            let _ = raise(Signal::SIGKILL);
        }
        loop {
            pause();
        }
    }
}
