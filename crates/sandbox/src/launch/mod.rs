//! The launcher: one short-lived process per command, which confines a child of its own and outlives it.
//!
//! It is single-threaded and holds nothing but its specification, so it may fork freely. The processes:
//!
//! - the *supervisor*, which reads the specification, watches the socket and kills everything when it closes;
//! - at [`Level::Namespaces`] an *init*, process 1 of the command's namespaces: when it ends, the kernel ends the rest;
//! - the *command*, which confines itself as its last act before it becomes the shell.
//!
//! Every one of them returns through [`launch`], so destructors run and nothing exits in the middle.

mod child;
mod confine;
mod descendants;
mod disk;
mod files;
mod filter;
mod init;
mod mounts;
mod namespaces;
mod outlet;
mod probe;
mod supervise;
mod sys;
mod trouble;
#[cfg(test)]
pub mod weakened;

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use nix::fcntl::{OFlag, open};
use nix::sys::prctl;
use nix::sys::stat::{Mode, umask};
use nix::unistd::dup2_stdin;

use crate::Level;
use crate::wire::{Report, SPEC_BYTES, Spec};
pub use mounts::is_private;
pub use sys::receive_with_fds;
use trouble::{During, Trouble};

/// What the launcher's process does: takes one specification from the socket that is its standard input, carries it out,
/// and returns when nothing of it is left. Call it before anything else in `main`, and return what it returns.
pub fn launch() -> ExitCode {
    let control = match take_control() {
        Ok(control) => control,
        Err(trouble) => {
            eprintln!("{trouble}: this command starts sandboxed commands and is not for people");
            return ExitCode::from(2);
        }
    };
    let result = receive(&control).and_then(|spec| match spec.level {
        Level::Namespaces => namespaces::start(&spec, &control),
        Level::Landlock | Level::Seccomp => supervise::start(&spec, &control),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            tell(&control, &Report::Failed(trouble.to_string()));
            ExitCode::FAILURE
        }
    }
}

/// Moves the socket away from standard input, where the command would find it, and closes what else was inherited.
fn take_control() -> Result<UnixStream, Trouble> {
    sys::close_from_3(false).during("closing inherited files")?;
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().during("taking over the socket")?;
    let control = UnixStream::from(stdin);
    control.local_addr().during("looking at standard input")?;
    let null =
        open("/dev/null", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()).during("opening /dev/null")?;
    dup2_stdin(null).during("replacing standard input")?;
    Ok(control)
}

fn receive(mut control: &UnixStream) -> Result<Spec, Trouble> {
    let mut length = [0; 4];
    control.read_exact(&mut length).during("reading the specification's length")?;
    let length = u32::from_le_bytes(length) as usize;
    if length > SPEC_BYTES {
        return Err(Trouble::new(format!(
            "the specification has {length} bytes: at most {SPEC_BYTES} are taken"
        )));
    }
    let mut json = vec![0; length];
    control.read_exact(&mut json).during("reading the specification")?;
    let spec = serde_json::from_slice(&json).during("understanding the specification")?;
    umask(Mode::from_bits_truncate(0o022));
    // When memory runs out, the kernel shall end the command, not the program that runs it.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    Ok(spec)
}

/// Says something to the caller, who may have gone.
fn tell(mut control: &UnixStream, report: &Report) {
    if let Ok(mut line) = serde_json::to_vec(report) {
        line.push(b'\n');
        let _ = control.write_all(&line);
    }
}

/// Closes this process's memory and descriptors to its equals. After the namespaces: their maps are written under `/proc`.
fn close_to_others() -> Result<(), Trouble> {
    prctl::set_dumpable(false).during("making the launcher non-dumpable")
}
