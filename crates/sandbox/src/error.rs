//! Why a command did not run. A command that ran and failed is no error: see [`crate::End`].

use std::io;
use std::path::PathBuf;

use crate::Level;

/// Why there is no sandbox, or no result.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the messages say what the fields are
pub enum SandboxError {
    /// The launcher could not be executed.
    #[error("the sandbox's launcher {} cannot be started: check that the file exists and may be executed", program.display())]
    Launcher { program: PathBuf, source: io::Error },
    /// The launcher ran and ended without a word.
    #[error(
        "the sandbox's launcher {} ended without an answer: check that this program calls sandbox::launch, \
         and that nothing on this machine kills it",
        program.display()
    )]
    Silent { program: PathBuf },
    /// The confinement could not be put up.
    #[error("the sandbox (level {level}) could not be set up: {why}")]
    Setup { level: Level, why: String },
    /// The self-test got out.
    #[error("the sandbox (level {level}) does not hold: {}", leaks.join("; "))]
    Leaks { level: Level, leaks: Vec<String> },
    /// A command with a network cannot be confined.
    #[error("no command can be given a network here (level {level}): {why}")]
    Offline { level: Level, why: String },
    /// No level holds. Nothing may be run.
    #[error(
        "no sandbox holds on this machine, so no command will be run: {tried}. Run as root, or allow unprivileged user \
         namespaces, or use a kernel with Landlock (6.2 or later)"
    )]
    Refused { tried: String },
    /// The settings contradict themselves.
    #[error("the sandbox's settings cannot be used: {why}")]
    Settings { why: String },
    /// The command cannot be handed to a shell.
    #[error("the command cannot be run: {why}")]
    Command { why: String },
    /// The workspace cannot be used.
    #[error("the workspace {} cannot be used: {why}", dir.display())]
    Workspace { dir: PathBuf, why: String },
    /// Something is alive that should be dead.
    #[error(
        "processes of a command could not be ended: restart this program, and the machine when they stay (they hang in \
         the kernel)"
    )]
    Outlived,
    /// The operating system refused something that it usually grants.
    #[error("the sandbox could not {what}")]
    Io { what: &'static str, source: io::Error },
}

impl SandboxError {
    /// For `map_err`: what was being done.
    pub(crate) fn io(what: &'static str) -> impl Fn(io::Error) -> SandboxError {
        move |source| SandboxError::Io { what, source }
    }
}
