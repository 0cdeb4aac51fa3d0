//! Where a comment on a pull request may stand. It shares no code with the program's own reader of diffs.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

pub fn git(dir: &Path, args: &[&str]) -> Option<String> {
    let output =
        Command::new("git").arg("-C").arg(dir).args(["-c", "safe.directory=*"]).args(args).output().unwrap();
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// What GitHub has against a comment; None: nothing.
pub fn refuses(repository: &Path, base: &str, head: &str, comment: &Value) -> Option<String> {
    let since = git(repository, &["merge-base", base, head])?;
    let path = comment["path"].as_str()?;
    let changed = git(repository, &["diff", "--name-only", "--no-renames", &since, head, "--", path])?;
    if changed.is_empty() {
        return Some("Path could not be resolved".to_owned());
    }
    let text = git(repository, &["show", &format!("{head}:{path}")]).unwrap_or_default();
    let last = comment["line"].as_u64()?;
    let first = comment["start_line"].as_u64().unwrap_or(last);
    let diff = git(repository, &["diff", "-U3", &since, head, "--", path])?;
    let in_one_hunk = diff.split("\n@@ ").skip(1).any(|hunk| {
        let new = hunk.split('+').nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        let (start, count) = new.split_once(',').unwrap_or((new, "1"));
        let (start, count): (u64, u64) = (start.parse().unwrap_or(0), count.parse().unwrap_or(0));
        (start..start + count).contains(&first) && (start..start + count).contains(&last)
    });
    let exists = last as usize <= text.lines().count();
    (!in_one_hunk || !exists || first > last || comment["side"] != "RIGHT")
        .then(|| "Pull request review thread line must be part of the diff".to_owned())
}
