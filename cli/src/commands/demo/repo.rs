//! The demo's repository: real files, a real commit, a test that really fails.

use std::path::Path;
use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::error::CliError;

/// Writes the repository into `folder`, which is made, and commits it.
pub async fn make(folder: &Path) -> Result<(), CliError> {
    rehearsal::demo::write_files(folder).map_err(CliError::folder("write the demo's files to", folder))?;
    let folder = folder.to_owned();
    let committed = tokio::task::spawn_blocking(move || corpus::commit_all(&folder, "Invoices"));
    let committed =
        committed.await.map_err(|error| CliError::Unable(format!("git was given up: {error}")))?;
    Ok(committed?)
}

/// What the test command says, and how it ends.
pub async fn test(folder: &Path, command: &str) -> Result<String, CliError> {
    let output = run(Command::new("sh").args(["-c", command]).current_dir(folder)).await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let code = output.status.code().map_or_else(|| output.status.to_string(), |code| code.to_string());
    Ok(format!("{}exit code {code}", domain::clean(&said)))
}

async fn run(command: &mut Command) -> Result<Output, CliError> {
    command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(CliError::system("run a program of the demo"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_repository_is_committed_and_its_test_fails() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("invoice");
        make(&folder).await.unwrap();
        assert!(folder.join(".git/refs/heads/main").exists());
        let said = test(&folder, "sh tests/run.sh").await.unwrap();
        assert!(said.contains("FAILED  books.15") && said.ends_with("exit code 1"), "{said}");
    }
}
