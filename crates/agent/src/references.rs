//! The places in the code that a report names, and whether they exist.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::ports::{Workspace, WorkspaceError};
use crate::text::counted;
use crate::tools::line_count;

/// The most files that are looked into for one report.
const FILES: usize = 200;
/// Endings that are a host's rather than a file's.
const HOSTS: &[&str] = &["com", "dev", "edu", "internal", "io", "local", "localhost", "net", "org", "test"];

#[allow(clippy::unwrap_used, reason = "the pattern is a constant, and a test reads it")]
static PLACE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"([\w@+.][\w@+./-]*):(\d{1,9})(?:[-\u{2013}](\d{1,9}))?").unwrap());

/// A place as a text names it: `src/a.rs:12` or `src/a.rs:12-14`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reference<'a> {
    span: Range<usize>,
    path: &'a str,
    /// The last line that it names.
    line: usize,
}

/// A report that was held against the code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The report, with a mark behind each place that does not exist.
    pub text: String,
    /// How many places it names.
    pub places: usize,
    /// Those that do not exist, once each, with what is wrong.
    pub missing: Vec<String>,
}

/// Looks every place up that `report` names in the form `path:line`. The error is the sentence of a broken workspace.
pub async fn check_references(report: &str, workspace: &dyn Workspace) -> Result<Checked, String> {
    let mut files: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    let mut checked = Checked::default();
    let mut copied = 0;
    for reference in references(report) {
        checked.places += 1;
        let lines = match files.get(reference.path) {
            Some(lines) => *lines,
            None if files.len() >= FILES => continue,
            None => {
                let lines = lines_of(reference.path, workspace).await?;
                files.insert(reference.path, lines);
                lines
            }
        };
        let (named, line) = (report.get(reference.span.clone()).unwrap_or_default(), reference.line);
        let why = match lines {
            None => format!("{named}: there is no such file"),
            Some(lines) if line > lines => format!("{named}: the file has {}", counted(lines, "line")),
            Some(_) if line == 0 => format!("{named}: lines count from 1"),
            Some(_) => continue,
        };
        if !checked.missing.contains(&why) {
            checked.missing.push(why);
        }
        checked.text += report.get(copied..reference.span.end).unwrap_or_default();
        checked.text += " (no such place)";
        copied = reference.span.end;
    }
    checked.text += report.get(copied..).unwrap_or_default();
    Ok(checked)
}

/// How many lines a file has; None: it is none.
pub(crate) async fn lines_of(path: &str, workspace: &dyn Workspace) -> Result<Option<usize>, String> {
    match workspace.read(path.strip_prefix("./").unwrap_or(path)).await {
        Ok(content) => Ok(Some(line_count(&content))),
        Err(WorkspaceError::Broken { message }) => Err(message),
        Err(_) => Ok(None),
    }
}

/// Addresses and times of day look much like places, and are none.
fn references(text: &str) -> impl Iterator<Item = Reference<'_>> {
    PLACE.captures_iter(text).filter_map(|captures| {
        let (whole, path) = (captures.get(0)?, captures.get(1)?);
        let before = text.get(..whole.start()).unwrap_or_default();
        let is_address = before.ends_with("//") || before.ends_with(':');
        let name = path.as_str().rsplit('/').next().unwrap_or_default();
        let extension = name.rsplit_once('.').map(|(_, extension)| extension).filter(|extension| {
            extension.starts_with(|c: char| c.is_alphabetic()) && !HOSTS.contains(extension)
        });
        let is_file = extension.is_some() || path.as_str().contains('/');
        let last = captures.get(3).or(captures.get(2))?.as_str().parse().ok()?;
        (is_file && !is_address).then(|| Reference { span: whole.range(), path: path.as_str(), line: last })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, usize)> {
        references(text).map(|reference| (reference.path, reference.line)).collect()
    }

    #[test]
    fn places_are_found_wherever_a_report_has_them() {
        let text = "See `src/a.rs:12`, (lib/b.py:3-9) and **c.sh:1**; scripts/run:4:7. Größe.txt:2\n- [x](src/d.ts:5)";
        let places = [
            ("src/a.rs", 12),
            ("lib/b.py", 9),
            ("c.sh", 1),
            ("scripts/run", 4),
            ("Größe.txt", 2),
            ("src/d.ts", 5),
        ];
        assert_eq!(found(text), places);
    }

    #[test]
    fn addresses_times_and_paths_in_code_are_none() {
        let text = "http://example.org:80/x at 12:30 on localhost:8080 or 127.0.0.1:5432, std::mem:1, example.com:443, a 4:3 ratio";
        assert_eq!(found(text), []);
    }
}
