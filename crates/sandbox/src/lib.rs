//! Runs a shell command that nobody trusts: no network but what [`Sandbox::run_connected`] permits, no secrets, nothing writable but its workspace, nothing left behind.
//!
//! [`Sandbox::start`] picks the strongest [`Level`] that the platform allows, attacks itself at that level, and refuses to
//! work when an attack succeeds. What may surprise:
//!
//! - Sockets of other programs that lie outside of the workspace are hidden at [`Level::Namespaces`], as far as the
//!   kernel names them when the command starts: a socket that is renamed after it was bound, or bound anew meanwhile,
//!   is not. Keep such services below `/run` or `/tmp`, or name their folders in [`Settings::hidden`].
//! - A command is started by a *launcher*: this same program, executed afresh so that its memory and environment hold
//!   nothing worth stealing. A program that uses this crate calls [`launch`] first thing in `main` when its first
//!   argument is [`LAUNCHER_ARGUMENT`].
//! - Starting a sandbox makes the calling process non-dumpable (`PR_SET_DUMPABLE` 0): no core dumps, no debugger
//!   without root. Otherwise a command could read the process's first environment under `/proc`.
//! - The launcher watches a socket. When the calling process dies, or drops the future of a run, the socket closes and
//!   the launcher kills everything that the command started.

mod adopt;
mod capture;
mod command;
mod environment;
mod error;
mod hidden;
mod launch;
mod level;
mod network;
mod run;
mod sandbox;
mod selftest;
mod settings;
mod sockets;
mod wire;

pub use command::{Command, Connected, End, Finished};
pub use error::SandboxError;
pub use hidden::credentials_of;
pub use launch::launch;
pub use level::Level;
pub use network::Hosts;
pub use sandbox::Sandbox;
pub use settings::{LAUNCHER_ARGUMENT, Launcher, Limits, Settings};
