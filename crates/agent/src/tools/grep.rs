//! Searches the repository's files, for jobs that have no shell.
//!
//! The `regex` crate takes linear time whatever the pattern; the bounds here keep the rest small.

use std::fmt::Write;

use regex::{Regex, RegexBuilder};

use super::input::relative;
use super::{Answer, Input, ToolError, read, schema};
use crate::ToolSpec;
use crate::ports::{Workspace, WorkspaceError};
use crate::text::{OUTPUT_BYTES, plain, start};

pub(super) const NAME: &str = "grep";
/// The most files that one search looks into.
const FILES: usize = 5_000;
/// Larger files are left out: generated code and data.
const FILE_BYTES: usize = 1_000_000;
/// The most bytes that one search reads.
const TOTAL_BYTES: usize = 50_000_000;
/// The most lines that it shows.
const MATCHES: usize = 100;
/// The most bytes of each that it shows.
const LINE_BYTES: usize = 200;

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME,
        description: "Find the lines that match a regular expression, in all files or those under `path`. Shows path:line:text.",
        schema: schema(&[("pattern", "string", false), ("path", "string", true)]),
    }
}

pub(super) async fn run(input: Input<'_>, workspace: &dyn Workspace) -> Result<Answer, ToolError> {
    let pattern = input.text("pattern")?;
    if pattern.is_empty() {
        return Err(ToolError::Told("grep: the pattern is empty: give one".to_owned()));
    }
    let under = match input.optional_text("path")? {
        None | Some("" | "." | "./") => None,
        Some(path) => Some(relative(NAME, path)?.trim_end_matches('/')),
    };
    let (regex, mut output) = compile(pattern)?;
    let (mut matches, mut bytes, mut looked) = (0, 0, 0);
    let files = workspace.files(FILES).await?;
    for path in files.iter().filter(|path| under.is_none_or(|under| is_under(path, under))) {
        // So that whoever bounds this in time is asked.
        tokio::task::yield_now().await;
        let content = match workspace.read(path).await {
            Ok(content) => content,
            Err(WorkspaceError::Broken { message }) => return Err(ToolError::Broken(message)),
            // A link that leads out, a submodule: listed, but no file to read.
            Err(_) => continue,
        };
        looked += 1;
        if content.len() > FILE_BYTES || read::is_binary(&content) {
            continue;
        }
        bytes += content.len();
        matches += search(&mut output, path, &content, &regex, MATCHES - matches);
        if matches >= MATCHES || bytes > TOTAL_BYTES || output.len() > OUTPUT_BYTES {
            output += "[stopped here: make the pattern or the path narrower to see more]";
            return Ok(Answer::good(output));
        }
    }
    if matches == 0 {
        let _ = write!(output, "no match in {looked} files");
    }
    if files.len() == FILES {
        let _ = write!(output, "\n[the repository is large: only its first {FILES} files were looked at]");
    }
    Ok(Answer::good(output))
}

/// The pattern as a regular expression, or, when it is none, as the text itself; and the remark that says so.
fn compile(pattern: &str) -> Result<(Regex, String), String> {
    let build = |pattern: &str| RegexBuilder::new(pattern).size_limit(1_000_000).build();
    if let Ok(regex) = build(pattern) {
        return Ok((regex, String::new()));
    }
    build(&regex::escape(pattern))
        .map(|regex| (regex, "(not a valid regular expression: searched for as plain text)\n".to_owned()))
        .map_err(|_| "grep: the pattern is too large: give a shorter one".to_owned())
}

fn is_under(path: &str, under: &str) -> bool {
    path.strip_prefix(under).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Writes at most `limit` matching lines to `output`; gives how many.
fn search(output: &mut String, path: &str, content: &[u8], regex: &Regex, limit: usize) -> usize {
    let text = String::from_utf8_lossy(content);
    let mut found = 0;
    for (index, line) in text.lines().enumerate().filter(|(_, line)| regex.is_match(line)).take(limit) {
        let cut = start(line.trim_end(), LINE_BYTES);
        let _ = writeln!(output, "{}:{}:{}", plain(path), index + 1, plain(cut));
        found += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_with_their_place() {
        let (regex, remark) = compile("tot(al|s)").unwrap();
        let mut output = remark;
        assert_eq!(search(&mut output, "a.py", b"x\ntotal = 1\r\ntots\n", &regex, 9), 2);
        assert_eq!(output, "a.py:2:total = 1\na.py:3:tots\n");
    }

    #[test]
    fn what_is_no_expression_is_searched_as_text() {
        let (regex, remark) = compile("f(x").unwrap();
        assert!(regex.is_match("y = f(x)") && remark.contains("plain text"));
        let bomb = "a{1000}{1000}";
        assert!(compile(bomb).is_ok_and(|(regex, _)| regex.is_match(bomb)), "too large: plain text as well");
    }

    #[test]
    fn a_path_means_a_file_or_all_under_a_folder() {
        assert!(is_under("src/a.rs", "src") && is_under("src/a.rs", "src/a.rs"));
        assert!(!is_under("srcs/a.rs", "src"));
    }
}
