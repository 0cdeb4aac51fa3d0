//! What the loop stands on besides the model: a journal, a workspace, a clock and a way to be stopped.
//!
//! Whoever implements them owes promises that the loop cannot check; they stand with each method.

use std::time::Duration;

use async_trait::async_trait;
use domain::Event;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::{Reply, Spent};

/// Why the loop must stop at once, whatever it is doing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// Another worker may hold the job: nothing more may be written, nothing delivered.
    #[error("the lease on this job is lost: another worker goes on with it")]
    LeaseLost,
    /// A person asked for an end.
    #[error("the job was cancelled")]
    Cancelled,
    /// The worker must go. A journal that answers `reserve` with this stops the loop between two steps, where
    /// nothing that was paid for is thrown away; the halt signal drops a running call, which counts at its worst case.
    #[error("the worker is shutting down: the job goes on in another one")]
    Interrupted,
    /// The ledger has no room for the worst case of the next call.
    #[error("the job's cost cap has no room for another model call")]
    Budget,
    /// The journal does not take what must be written before the work may go on. `passing`: it may take it later.
    #[error("the journal cannot be written: {message}")]
    #[allow(missing_docs)]
    Journal { message: String, passing: bool },
}

/// What is known of the price of a call that gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billing {
    /// The provider did not charge for it.
    Unbilled,
    /// It may have: the reserved worst case counts.
    Unknown,
}

/// The ledger and the event log of one attempt at one job. Each method is all or nothing, and its caller waits for it.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Sets the worst case of call number `step` (1 for the job's first, counted over all attempts) aside before it is made.
    async fn reserve(&self, step: u32, model: &str, worst_case: Spent) -> Result<(), Halt>;

    /// Closes the reservation with what the call did use, and appends `events` in the same transaction:
    /// were it two, a crash between them would pay for an answer that nobody has.
    async fn settle(&self, step: u32, reply: &Reply, events: &[Event]) -> Result<(), Halt>;

    /// Closes the reservation of a call that gave no answer.
    async fn abandon(&self, step: u32, billing: Billing) -> Result<(), Halt>;

    /// Appends `events` in one transaction.
    async fn append(&self, events: &[Event]) -> Result<(), Halt>;
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It ended by itself with this code.
    Code(i32),
    /// A signal killed it.
    Signal(i32),
    /// It was still running at its timeout and was killed.
    TimedOut,
}

/// What a command left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandResult {
    /// What it wrote to both of its outputs, as it came. The implementor bounds it; the loop cuts it further for the model.
    pub output: Vec<u8>,
    /// How it ended.
    pub exit: Exit,
}

/// Why the workspace did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkspaceError {
    /// There is no such file. The model is told.
    #[error("there is no file {path}")]
    #[allow(missing_docs)]
    NotFound { path: String },
    /// It may not or cannot be done: outside of the workspace, a folder, too large. The model is told.
    #[error("{message}")]
    #[allow(missing_docs)]
    Refused { message: String },
    /// The workspace itself does not work. The job ends with `sandbox_error`.
    #[error("the workspace does not work: {message}")]
    #[allow(missing_docs)]
    Broken { message: String },
}

/// The checkout that the job works in. Paths are relative to its root; the implementor confines them, symlinks included.
/// Dropping a method's future stops what it does, a command with all its children.
#[async_trait]
pub trait Workspace: Send + Sync {
    /// Runs `command` in a shell of its own, bash where there is one, in the root. It is killed after `timeout`.
    async fn run(&self, command: &str, timeout: Duration) -> Result<CommandResult, WorkspaceError>;

    /// A file's bytes.
    async fn read(&self, path: &str) -> Result<Vec<u8>, WorkspaceError>;

    /// Replaces or creates a file, and the folders that it needs.
    async fn write(&self, path: &str, bytes: &[u8]) -> Result<(), WorkspaceError>;

    /// All changes against the checked-out commit as one patch, new files included; empty when there are none.
    async fn diff(&self) -> Result<String, WorkspaceError>;

    /// Takes changes that [`Workspace::diff`] gave out of the files again.
    async fn undo(&self, patch: &str) -> Result<(), WorkspaceError>;

    /// At most `limit` files of the checked-out commit, sorted: the same for every attempt, whatever was changed since.
    async fn files(&self, limit: usize) -> Result<Vec<String>, WorkspaceError>;

    /// `text` as the model and the journal may have it: without the secrets that the implementor knows. [`Workspace::read`]
    /// gives the bytes as they are, or an edit would write the gaps into the file.
    fn hide(&self, text: String) -> String {
        text
    }
}

/// A monotonic clock.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Instant;
}

/// The runtime's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Monotonic;

impl Clock for Monotonic {
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// All that one run of the loop uses.
#[derive(Clone)]
pub struct Ports<'a> {
    /// Whom to ask.
    pub model: &'a dyn crate::Model,
    /// Where every step is written before the next one.
    pub journal: &'a dyn Journal,
    /// Where the work is done.
    pub workspace: &'a dyn Workspace,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// Stops the loop at once when a reason is sent. A dropped sender stops nothing.
    pub halt: watch::Receiver<Option<Halt>>,
}
