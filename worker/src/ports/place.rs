//! The agent's workspace: files through a folder that no link leads out of, commands through the sandbox.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use agent::{CommandResult, Exit, WorkspaceError};
use async_trait::async_trait;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use forge::{ForgeError, Mirror, Workspace};
use sandbox::{Command, End, Sandbox};
use service::Redaction;

/// Bytes of a file that a tool reads. More is no source code, and no model reads it.
const FILE_BYTES: u64 = 4_000_000;
/// Bytes of a command's output that are kept; the loop cuts them further.
const OUTPUT_BYTES: usize = 64 * 1024;

/// A checkout, and the sandbox for what runs in it.
pub struct Place {
    pub mirror: Mirror,
    pub workspace: Workspace,
    pub sandbox: Sandbox,
    /// What a command prints goes to the model and into the journal: no secret may, however it got there.
    pub redaction: Redaction,
}

impl Place {
    fn dir(&self) -> Result<Dir, WorkspaceError> {
        Dir::open_ambient_dir(self.workspace.path(), ambient_authority()).map_err(|error| broken(&error))
    }
}

#[async_trait]
impl agent::Workspace for Place {
    async fn run(&self, command: &str, timeout: Duration) -> Result<CommandResult, WorkspaceError> {
        let dir = self.workspace.path();
        let command = Command { shell: command, dir, timeout, output_limit: OUTPUT_BYTES, env: &[] };
        let finished = self.sandbox.run(command).await.map_err(|error| broken(&error))?;
        let mut output = finished.output;
        let exit = match finished.end {
            End::Exited(code) => Exit::Code(code),
            End::Signalled(signal) => Exit::Signal(signal),
            End::TimedOut => Exit::TimedOut,
            End::Flooded => {
                output.push_str("\n[killed: it printed without end]");
                Exit::Signal(9)
            }
        };
        Ok(CommandResult { output: self.redaction.apply(&output).into_owned().into_bytes(), exit })
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, WorkspaceError> {
        let dir = self.dir()?;
        // A pipe would be waited for, a device is not the workspace's: only files are opened.
        let found = dir.metadata(path).map_err(|error| file_error(path, &error))?;
        if !found.is_file() {
            return Err(refused(path, "is not a file"));
        }
        if found.len() > FILE_BYTES {
            return Err(refused(path, "is too large: look at parts of it with a command"));
        }
        let mut bytes = Vec::new();
        let file = dir.open(path).map_err(|error| file_error(path, &error))?;
        file.take(FILE_BYTES).read_to_end(&mut bytes).map_err(|error| file_error(path, &error))?;
        Ok(bytes)
    }

    async fn write(&self, path: &str, bytes: &[u8]) -> Result<(), WorkspaceError> {
        let dir = self.dir()?;
        if dir.metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(refused(path, "is not a file"));
        }
        let parent = Path::new(path).parent().filter(|parent| !parent.as_os_str().is_empty());
        // The first folder that is not there yet: it and all below it are handed to the commands' user.
        let fresh = Path::new(path)
            .ancestors()
            .filter(|part| !part.as_os_str().is_empty() && !dir.exists(part))
            .last()
            .map(Path::to_owned);
        if let Some(parent) = parent {
            dir.create_dir_all(parent).map_err(|error| file_error(path, &error))?;
        }
        dir.write(path, bytes).map_err(|error| file_error(path, &error))?;
        match fresh {
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

    async fn files(&self, limit: usize) -> Result<Vec<String>, WorkspaceError> {
        Ok(self.mirror.files(limit).await.map_err(|error| broken(&error))?.paths)
    }
}

fn broken(error: &(dyn std::error::Error + 'static)) -> WorkspaceError {
    WorkspaceError::Broken { message: service::exit::one_line(error) }
}

fn refused(path: &str, why: &str) -> WorkspaceError {
    WorkspaceError::Refused { message: format!("{path} {why}") }
}

/// What is wrong with the path is the model's to mend.
fn file_error(path: &str, error: &io::Error) -> WorkspaceError {
    match error.kind() {
        io::ErrorKind::NotFound => WorkspaceError::NotFound { path: path.to_owned() },
        _ => refused(path, &format!("cannot be used: {error}")),
    }
}
