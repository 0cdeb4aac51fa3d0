//! A case's repository, and any other that is made here: real files and commits, by git with nothing of the user's
//! configuration.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::{Case, CorpusError};

const NAME: &str = "Codeteam";
const EMAIL: &str = "team@codeteam.invalid";

/// Writes the repository of `case` into `folder`, which is made: its files as `main`, and the change that is reviewed, if there is one,
/// as the branch `change`. `main` is checked out. Blocks.
pub fn make(case: &Case, folder: &Path) -> Result<(), CorpusError> {
    write(case, folder).map_err(|source| CorpusError::Unwritable { path: folder.to_owned(), source })?;
    commit_all(folder, &case.name)?;
    if let Some(patch) = &case.patch {
        git(folder, &["checkout", "--quiet", "-b", Case::HEAD], b"")?;
        git(folder, &["apply", "--index", "-"], patch.as_bytes())?;
        git(folder, &["commit", "--quiet", "--message=The change"], b"")?;
        git(folder, &["checkout", "--quiet", Case::BASE], b"")?;
    }
    Ok(())
}

/// Makes `folder` a repository with one commit of all that is in it, on the branch `main`. Blocks.
pub fn commit_all(folder: &Path, message: &str) -> Result<(), CorpusError> {
    let message = format!("--message={message}");
    git(folder, &["init", "--quiet", "--initial-branch", Case::BASE], b"")?;
    git(folder, &["add", "--all", "--force"], b"")?;
    git(folder, &["commit", "--quiet", &message], b"")
}

/// Nothing is overwritten: a file that is there is an error.
fn write(case: &Case, folder: &Path) -> std::io::Result<()> {
    for (path, bytes) in &case.files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::File::create_new(path)?.write_all(bytes)?;
    }
    Ok(())
}

fn git(folder: &Path, arguments: &[&str], input: &[u8]) -> Result<(), CorpusError> {
    let mut command = Command::new("git");
    command
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs([("GIT_AUTHOR_NAME", NAME), ("GIT_AUTHOR_EMAIL", EMAIL)])
        .envs([("GIT_COMMITTER_NAME", NAME), ("GIT_COMMITTER_EMAIL", EMAIL)]);
    // Set by a git that runs us, in a hook for example, they would lead to its repository.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_TEMPLATE_DIR"] {
        command.env_remove(variable);
    }
    let output = run(&mut command, input).map_err(CorpusError::NoGit)?;
    match output.status.success() {
        true => Ok(()),
        false => Err(CorpusError::Git {
            what: arguments[0].to_owned(),
            said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        }),
    }
}

fn run(command: &mut Command, input: &[u8]) -> std::io::Result<Output> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A git that wants no more says so by its exit code.
        _ = stdin.write_all(input);
    }
    child.wait_with_output()
}
