//! A program that is run to its end, with all that it starts: within a time limit, and in a process group that ends with it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// How many of its last lines on standard error explain a failure.
const LAST_WORDS: usize = 3;

/// Runs `program` in `folder` and gives its standard output. An error has what it said last. Dropping the future ends it.
pub async fn run(
    folder: &Path,
    program: &[String],
    environment: &[(&str, &str)],
    limit: Duration,
) -> anyhow::Result<String> {
    let (name, arguments) = program.split_first().context("there is no program to run")?;
    // A path is meant from the folder; a bare name is looked up as a shell does.
    let path = if name.contains('/') { folder.join(name).into_os_string() } else { name.into() };
    let mut child = Command::new(path)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("{name} does not start"))?;
    let _group = Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw));
    let output = child.stdout.take().context("it has no standard output")?;
    let errors = child.stderr.take().context("it has no standard error")?;
    let work = async {
        let (output, errors, status) = tokio::join!(all(output), last_words(errors), child.wait());
        anyhow::Ok((output?, errors?, status?))
    };
    let Ok(done) = timeout(limit, work).await else {
        bail!("not done within {} s", limit.as_secs());
    };
    let (output, errors, status) = done?;
    if !status.success() {
        bail!("{name} ended with {status}: {errors}");
    }
    Ok(output)
}

/// A process group that is killed when this goes, however that comes about.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Nobody is left of it in the good case.
            _ = killpg(group, Signal::SIGKILL);
        }
    }
}

async fn all(mut from: impl AsyncRead + Unpin) -> std::io::Result<String> {
    let mut text = String::new();
    from.read_to_string(&mut text).await?;
    Ok(text)
}

async fn last_words(from: impl AsyncRead + Unpin) -> std::io::Result<String> {
    let mut lines = BufReader::new(from).lines();
    let mut last: Vec<String> = Vec::new();
    while let Some(line) = lines.next_line().await? {
        if !line.trim().is_empty() {
            last.push(line.trim().to_owned());
            last = last.split_off(last.len().saturating_sub(LAST_WORDS));
        }
    }
    Ok(last.join(" / "))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shell(script: &str, limit: Duration) -> anyhow::Result<String> {
        let program = ["sh", "-c", script].map(str::to_owned);
        run(Path::new("/"), &program, &[], limit).await
    }

    #[tokio::test]
    async fn what_it_said_last_explains_a_failure() {
        let error = shell("echo one >&2; echo two >&2; exit 3", Duration::from_secs(10)).await.unwrap_err();
        assert_eq!(error.to_string(), "sh ended with exit status: 3: one / two");
    }

    #[tokio::test]
    async fn one_that_takes_too_long_ends_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("grandchild");
        let script = format!("sleep 600 & echo $! > {}; wait", file.display());
        let error = shell(&script, Duration::from_millis(500)).await.unwrap_err();
        assert!(error.to_string().starts_with("not done within"), "{error}");
        let grandchild: i32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
        let stat = format!("/proc/{grandchild}/stat");
        // Killed; whoever is its parent now may not have looked yet.
        while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
            tokio::task::yield_now().await;
        }
    }
}
