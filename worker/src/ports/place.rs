//! The agent's workspace: files through a folder that no link leads out of, commands through the sandbox.

use std::ops::RangeInclusive;
use std::time::Duration;

use agent::{CommandResult, Exit, WorkspaceError};
use async_trait::async_trait;
use forge::{Changes, ForgeError, Mirror, Workspace};
use sandbox::{Command, End, Sandbox, SandboxError};
use service::Redaction;
use tokio::sync::OnceCell;

use super::files::Files;

/// Bytes of a command's output that are kept; the loop cuts them further.
const OUTPUT_BYTES: usize = 64 * 1024;
/// The most files of a commit that are listed: more than the loop asks for.
const LISTED: usize = 10_000;

/// A checkout, and the sandbox for what runs in it.
pub struct Place {
    pub mirror: Mirror,
    pub workspace: Workspace,
    /// What a review looks at. None: there is no head, or it is no review.
    pub changes: Option<Changes>,
    pub sandbox: Sandbox,
    /// What a command prints and a file holds goes to the model and into the journal: no secret may, however it got there.
    pub redaction: Redaction,
    /// The commit's files, once somebody has asked for them.
    pub listed: OnceCell<Vec<String>>,
}

impl Place {
    fn files(&self) -> Files {
        Files::below(self.workspace.path())
    }

    /// Whether a file has these lines.
    pub fn has_lines(&self, path: &str, lines: &RangeInclusive<u32>) -> bool {
        let read = self.files().read(path);
        let has = |bytes: &[u8]| agent::line_count(bytes) >= *lines.end() as usize && *lines.start() > 0;
        read.is_ok_and(|bytes| has(&bytes))
    }
}

#[async_trait]
impl agent::Workspace for Place {
    async fn run(&self, command: &str, timeout: Duration) -> Result<CommandResult, WorkspaceError> {
        let dir = self.workspace.path();
        let command = Command { shell: command, dir, timeout, output_limit: OUTPUT_BYTES, env: &[] };
        let finished = self.sandbox.run(command).await.map_err(|error| match error {
            // The model is told, and gives another one.
            SandboxError::Command { .. } => WorkspaceError::Refused { message: error.to_string() },
            error => broken(&error),
        })?;
        let mut output = finished.output;
        let exit = match finished.end {
            End::Exited(code) => Exit::Code(code),
            End::Signalled(signal) => Exit::Signal(signal),
            End::TimedOut => Exit::TimedOut,
            End::Flooded => {
                output.push_str("\n[killed: it printed without end]");
                Exit::Signal(9)
            }
            End::Overfull => {
                output.push_str("\n[killed: its files filled the disk; remove some]");
                Exit::Signal(9)
            }
        };
        Ok(CommandResult { output: self.redaction.apply(&output).into_owned().into_bytes(), exit })
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, WorkspaceError> {
        self.files().read(path)
    }

    async fn write(&self, path: &str, bytes: &[u8]) -> Result<(), WorkspaceError> {
        match self.files().write(path, bytes)? {
            // It and all below it are handed to the commands' user.
            Some(fresh) => {
                self.sandbox.adopt(&self.workspace.path().join(fresh)).map_err(|error| broken(&error))
            }
            None => Ok(()),
        }
    }

    async fn diff(&self) -> Result<String, WorkspaceError> {
        self.workspace.diff().await.map_err(|error| match error {
            // The model is told, and may undo what is too much.
            ForgeError::DiffTooLarge { .. } => WorkspaceError::Refused { message: error.to_string() },
            error => broken(&error),
        })
    }

    async fn undo(&self, patch: &str) -> Result<(), WorkspaceError> {
        self.workspace.revert(patch).await.map_err(|error| match error {
            ForgeError::PatchDoesNotApply { .. } => WorkspaceError::Refused { message: error.to_string() },
            error => broken(&error),
        })?;
        // What was put back is the worker's own now.
        self.sandbox.adopt(self.workspace.path()).map_err(|error| broken(&error))
    }

    async fn files(&self, limit: usize) -> Result<Vec<String>, WorkspaceError> {
        // They are the commit's: the same however often somebody asks.
        let list = || async { Ok(self.mirror.files(LISTED).await?.paths) };
        let listed = self.listed.get_or_try_init(list).await.map_err(|error: ForgeError| broken(&error))?;
        Ok(listed.iter().take(limit).cloned().collect())
    }

    fn hide(&self, text: String) -> String {
        self.redaction.apply(&text).into_owned()
    }
}

fn broken(error: &(dyn std::error::Error + 'static)) -> WorkspaceError {
    WorkspaceError::Broken { message: service::exit::one_line(error) }
}
