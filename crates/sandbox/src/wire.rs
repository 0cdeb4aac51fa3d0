//! What the caller and the launcher say to each other over their socket: one specification down, reports up.
//!
//! The specification is a length (four bytes, little-endian) and that much JSON; reports are lines of JSON.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Level, Limits};

/// The most bytes of a specification, so that a stranger on the socket cannot ask for memory without end.
pub const SPEC_BYTES: usize = 16 << 20;

/// Everything that the launcher must know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spec {
    pub level: Level,
    pub task: Task,
    /// Canonical.
    pub dir: PathBuf,
    /// The whole environment, but for HOME and TMPDIR.
    pub env: Vec<(String, String)>,
    pub hidden: Vec<PathBuf>,
    pub shown: Vec<PathBuf>,
    pub limits: Limits,
    /// Whether the command gets a way to the caller's proxy.
    pub connected: bool,
    /// None: the caller is not root, and the command keeps the caller's ids.
    pub uid: Option<u32>,
    /// Where private folders are made at levels that cannot mount one.
    pub scratch: PathBuf,
    /// The caller's process id.
    pub caller: i32,
}

/// What is done inside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Task {
    /// A person's, or a model's, command.
    Shell(String),
    /// The sandbox's own attacks on itself.
    Probe(Probe),
}

/// What the self-test tries from inside. Each must fail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Probe {
    /// A port on 127.0.0.1 where the caller listens.
    pub port: u16,
    /// Files and folders that must not be readable, sockets that must not answer.
    pub unreadable: Vec<PathBuf>,
    /// Files that must not be writable. Whether they were is for the caller to see.
    pub overwrite: Vec<PathBuf>,
    /// Files that must not come to exist. Whether they did is for the caller to see.
    pub create: Vec<PathBuf>,
}

/// What the launcher says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Report {
    /// The confinement could not be put up, and the command was not run.
    Failed(String),
    /// The command exited.
    Exited(i32),
    /// A signal ended the command.
    Signalled(i32),
    /// It filled its folders and was killed.
    Overfull,
    /// The attacks that succeeded.
    Probed(Vec<String>),
}
