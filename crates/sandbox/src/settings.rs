//! What a sandbox is told once, at its start.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Level, credentials_of};

/// The first argument with which [`Launcher::default`] executes the calling program afresh.
pub const LAUNCHER_ARGUMENT: &str = "sandbox-launch";

/// The program that calls [`crate::launch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launcher {
    /// An executable file.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

impl Default for Launcher {
    /// The running program itself, even when its file has been replaced or deleted since it started.
    fn default() -> Launcher {
        Launcher { program: "/proc/self/exe".into(), args: vec![LAUNCHER_ARGUMENT.into()] }
    }
}

/// How commands are confined.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What starts them.
    pub launcher: Launcher,
    /// Files, folders and sockets that they must not see. Paths that do not exist when a command starts are ignored.
    /// A hidden folder may enclose workspaces: of what lies in it, a command sees its own workspace alone. What is hidden
    /// is not there at [`Level::Namespaces`]; at [`Level::Landlock`] it cannot be read or listed, but who knows a path can
    /// ask whether it exists; at [`Level::Seccomp`] owners and modes alone protect it, so that the commands' user, who must
    /// be able to pass through a folder around its workspace, can read other workspaces whose names it guesses.
    /// Below [`Level::Namespaces`] none may lie inside a workspace. Default: [`credentials_of`] the caller's home.
    pub hidden: Vec<PathBuf>,
    /// Files and folders that they may read although a hidden or closed folder encloses them, such as a toolchain in
    /// root's home. At [`Level::Seccomp`] this changes nothing. Default: none.
    pub shown: Vec<PathBuf>,
    /// What they may use.
    pub limits: Limits,
    /// The user and group id that they get when the caller is root; no effect otherwise. Never 0, and nobody else's:
    /// not 65534 (`nobody`), which services run as. Default: 47123, in a range that Debian assigns to nobody.
    pub uid: u32,
    /// None: the strongest level that holds. Some: this one or none.
    pub level: Option<Level>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            launcher: Launcher::default(),
            hidden: std::env::var_os("HOME").map(|home| credentials_of(home.as_ref())).unwrap_or_default(),
            shown: Vec::new(),
            limits: Limits::default(),
            uid: 47_123,
            level: None,
        }
    }
}

/// What one command may use. A limit above what the platform grants is lowered to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Processes and threads. Default: 512.
    pub processes: u64,
    /// Bytes of private writable memory (`RLIMIT_DATA`) of each process; address space is not bounded, because
    /// JavaScript and Go reserve far more of it than they use. Default: 4 GiB.
    pub memory: u64,
    /// Bytes of each file that it writes. Default: 2 GiB.
    pub file_size: u64,
    /// Bytes that the workspace (and the private folder, where there is no private `/tmp`) may hold. Looked at while a
    /// command runs, so that it may be passed for a moment; a command that passes it is killed. Default: 10 GiB.
    pub disk: u64,
    /// Files and folders in it, likewise. Default: 1,000,000.
    pub inodes: u64,
    /// Open files of each process. Default: 4,096.
    pub open_files: u64,
    /// Bytes of each private in-memory folder (`/tmp`, `/var/tmp`, `/dev/shm`) at [`Level::Namespaces`]. Default: 1 GiB.
    pub scratch: u64,
    /// Bytes that it may print before it is killed. Default: 1 GiB.
    pub output: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            processes: 512,
            memory: 4 << 30,
            file_size: 2 << 30,
            disk: 10 << 30,
            inodes: 1_000_000,
            open_files: 4_096,
            scratch: 1 << 30,
            output: 1 << 30,
        }
    }
}
