//! The caller's side of one launcher: start it, tell it what to do, read what it prints, stop it in time.
//!
//! Stopping is closing: when this side of the socket closes, for whatever reason, the launcher kills everything. That is
//! why a dropped future needs no care here.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::capture::Capture;
use crate::command::End;
use crate::launch::receive_with_fds;
use crate::network::Outlet;
use crate::wire::{Report, Spec};
use crate::{Launcher, SandboxError};

/// How long the launcher may take to kill everything. It takes milliseconds, unless a process hangs in the kernel.
const GRACE: Duration = Duration::from_secs(10);

/// What came of a launcher.
pub struct Conversation {
    pub reports: Vec<Report>,
    /// Some: it was stopped from here.
    pub stopped: Option<End>,
    pub capture: Capture,
    pub elapsed: Duration,
}

/// Starts a launcher and stays until neither it nor anything that it started is left.
pub async fn converse(
    launcher: &Launcher,
    spec: &Spec,
    timeout: Duration,
    output_limit: usize,
    mut outlet: Option<&mut Outlet>,
) -> Result<Conversation, SandboxError> {
    let started = Instant::now();
    let (mut child, mut control, mut output) = spawn(launcher)?;
    let json = serde_json::to_vec(spec)
        .map_err(|error| SandboxError::io("write its specification")(error.into()))?;
    // A launcher that does not listen closes the socket; its silence is what gets reported.
    let message = [&u32::try_from(json.len()).unwrap_or(u32::MAX).to_le_bytes()[..], &json].concat();
    let _ = tokio::time::timeout(GRACE, control.write_all(&message)).await;

    let mut capture = Capture::new(output_limit);
    let (mut said, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    let (mut silent, mut drained) = (false, false);
    let mut stopped = None;
    let mut deadline =
        started.checked_add(timeout).unwrap_or_else(|| started + Duration::from_secs(86_400 * 365));
    while !(silent && drained) {
        tokio::select! {
            read = output.read(&mut buffer), if !drained => {
                match read {
                    Ok(0) | Err(_) => drained = true,
                    Ok(bytes) => capture.push(&buffer[..bytes]),
                }
                if capture.total() > spec.limits.output && stopped.is_none() {
                    stopped = Some(End::Flooded);
                    deadline = Instant::now() + GRACE;
                    let _ = control.shutdown().await;
                }
            }
            heard = hear(&control, &mut said), if !silent => match heard {
                Ok((1.., sockets)) => {
                    if let Some(outlet) = &mut outlet {
                        sockets.into_iter().for_each(|socket| outlet.take(socket));
                    }
                }
                // Launcher and command are gone. Who still holds the output has outlived them.
                _ => {
                    silent = true;
                    deadline = Instant::now() + GRACE;
                }
            },
            () = tend(&mut outlet) => {}
            () = tokio::time::sleep_until(deadline) => {
                if silent || stopped.is_some() {
                    let _ = child.start_kill();
                    return Err(SandboxError::Outlived);
                }
                stopped = Some(End::TimedOut);
                deadline = Instant::now() + GRACE;
                let _ = control.shutdown().await;
            }
        }
    }
    let _ = child.wait().await;
    let reports =
        said.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    Ok(Conversation { reports, stopped, capture, elapsed: started.elapsed() })
}

/// What the launcher says next, and the sockets that it hands over.
async fn hear(control: &UnixStream, said: &mut Vec<u8>) -> std::io::Result<(usize, Vec<OwnedFd>)> {
    control.async_io(Interest::READABLE, || receive_with_fds(control.as_fd(), said)).await
}

/// Carries the command's connections for as long as it is waited for.
async fn tend(outlet: &mut Option<&mut Outlet>) {
    match outlet {
        Some(outlet) => outlet.tend().await,
        None => std::future::pending().await,
    }
}

fn spawn(launcher: &Launcher) -> Result<(Child, UnixStream, pipe::Receiver), SandboxError> {
    let plumbing = SandboxError::io("make a socket and a pipe (are too many files open?)");
    let (control, theirs) = StdUnixStream::pair().map_err(&plumbing)?;
    let (output, writer) = std::io::pipe().map_err(&plumbing)?;
    let mut command = Command::new(&launcher.program);
    command
        .args(&launcher.args)
        .env_clear()
        .current_dir("/")
        // A terminal's Ctrl-C is for the caller, who then closes the socket.
        .process_group(0)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(writer.try_clone().map_err(&plumbing)?)
        .stderr(writer);
    let child = command
        .spawn()
        .map_err(|source| SandboxError::Launcher { program: launcher.program.clone(), source })?;
    control.set_nonblocking(true).map_err(&plumbing)?;
    let control = UnixStream::from_std(control).map_err(&plumbing)?;
    let output = pipe::Receiver::from_owned_fd(output.into()).map_err(&plumbing)?;
    Ok((child, control, output))
}
