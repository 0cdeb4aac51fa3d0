//! The demo's repository: real files, a real commit, a test that really fails.

use std::path::Path;
use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::error::CliError;

/// Writes the repository into `folder`, which is made, and commits it.
pub async fn make(folder: &Path) -> Result<(), CliError> {
    rehearsal::demo::write_files(folder).map_err(CliError::folder("write the demo's files to", folder))?;
    git(folder, &["init", "--quiet", "--initial-branch=main"]).await?;
    git(folder, &["add", "--all"]).await?;
    git(folder, &["commit", "--quiet", "--message=Invoices"]).await
}

/// What the test command says, and how it ends.
pub async fn test(folder: &Path, command: &str) -> Result<String, CliError> {
    let output = run(Command::new("sh").args(["-c", command]).current_dir(folder)).await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let code = output.status.code().map_or_else(|| output.status.to_string(), |code| code.to_string());
    Ok(format!("{}exit code {code}", domain::clean(&said)))
}

/// Runs git with a name of its own, and with nothing of the user's configuration.
async fn git(folder: &Path, arguments: &[&str]) -> Result<(), CliError> {
    let (name, email) = ("Codeteam Demo", "demo@codeteam.invalid");
    let mut command = Command::new("git");
    command
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs([("GIT_AUTHOR_NAME", name), ("GIT_AUTHOR_EMAIL", email)])
        .envs([("GIT_COMMITTER_NAME", name), ("GIT_COMMITTER_EMAIL", email)]);
    // Set by a git that runs us, in a hook for example, they would lead to its repository.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_TEMPLATE_DIR"] {
        command.env_remove(variable);
    }
    let output = match run(&mut command).await {
        Err(CliError::System { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            return Err(forge::ForgeError::GitMissing.into());
        }
        other => other?,
    };
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(CliError::Unable(format!(
        "git could not make the demo's repository: {}; install git 2.32 or newer",
        said.trim()
    )))
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
