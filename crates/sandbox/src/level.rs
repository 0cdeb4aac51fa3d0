//! How strong the confinement is. Which level a platform allows cannot be chosen, only found out.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of confinement, strongest first. At every level a command has no network beyond what is said here, no
/// capabilities, a scrubbed environment, resource limits, a filter on system calls, and ends with all its descendants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Namespaces of its own: a network with nothing but its own localhost, its own processes, a read-only view of the
    /// files with a private `/tmp`. Needs root, or unprivileged user namespaces.
    Namespaces,
    /// A system-call filter without network sockets (localhost included) and Landlock rules for files. As root, commands
    /// have another user id. There is no private `/tmp`, only a private TMPDIR. As anybody else they have the caller's, so Unix sockets are denied too, and what Landlock
    /// does not rule, permission bits and time stamps of the caller's own files, is not protected.
    Landlock,
    /// The system-call filter and another user id: files are protected by their owners and modes alone, so folders that
    /// everybody may write to (`/tmp`) stay writable. Needs root.
    Seccomp,
}

impl Level {
    /// All levels, strongest first.
    pub const ALL: [Level; 3] = [Level::Namespaces, Level::Landlock, Level::Seccomp];

    /// The name under which the level is recorded. It never changes its meaning.
    pub fn name(self) -> &'static str {
        match self {
            Level::Namespaces => "namespaces",
            Level::Landlock => "landlock",
            Level::Seccomp => "seccomp",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
