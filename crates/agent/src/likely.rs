//! The files that a job is likely about, and what of them the model is shown before it asks.
//!
//! A guess that costs one pass over the files: each saves the model a call or is passed over. Bounded in files, bytes and, by
//! its caller, in time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use regex::bytes::{Regex, RegexBuilder};

use crate::clues::{Clues, Place};
use crate::ports::{Workspace, WorkspaceError};
use crate::text::{counted, plain, start};
use crate::tools::is_binary;

/// The most files that are looked into.
pub(crate) const FILES: usize = 5_000;
/// Larger files are generated code or data.
const FILE_BYTES: usize = 300_000;
/// The most bytes that are searched.
const TOTAL_BYTES: usize = 20_000_000;
/// The most files that are shown.
const SHOWN: usize = 6;
/// A file of no more bytes is shown whole.
const WHOLE: usize = 2_500;
/// Lines shown before and after one that is meant.
const AROUND: usize = 3;
/// The most such lines of one file.
const HITS: usize = 5;
/// The most bytes of a line that are shown.
const LINE_BYTES: usize = 200;
/// What is named outweighs all that is only found.
const NAMED: f64 = 1_000.0;
/// Less is chance.
const LEAST: f64 = 2.0;
/// Parts of paths that nobody edits by hand.
const MADE: &[&str] =
    &["node_modules/", "vendor/", "dist/", "target/", ".min.", "package-lock.json", "Cargo.lock", ".svg"];

/// A file in which something was found.
struct Found {
    path: String,
    content: Vec<u8>,
    score: f64,
    /// Which terms, by number.
    terms: BTreeSet<usize>,
    /// Which lines, from 1: those that were named first.
    lines: Vec<usize>,
}

/// The excerpts, at most about `room` bytes; empty when nothing is likely. The error is the sentence of a broken workspace.
pub(crate) async fn excerpts(
    clues: &Clues,
    files: &[String],
    workspace: &dyn Workspace,
    room: usize,
) -> Result<String, String> {
    let Some(search) = Search::new(clues) else { return Ok(String::new()) };
    let mut found = Vec::new();
    let mut bytes = 0;
    for path in files.iter().take(FILES).filter(|path| !MADE.iter().any(|made| path.contains(made))) {
        // So that whoever bounds this in time is asked.
        tokio::task::yield_now().await;
        let content = match workspace.read(path).await {
            Ok(content) => content,
            Err(WorkspaceError::Broken { message }) => return Err(message),
            Err(_) => continue,
        };
        if content.len() > FILE_BYTES || is_binary(&content) {
            continue;
        }
        bytes += content.len();
        found.extend(search.look(path, content));
        if bytes > TOTAL_BYTES {
            break;
        }
    }
    Ok(render(&ranked(found), room))
}

/// The terms that are searched for, and the places that were named.
struct Search<'a> {
    places: &'a [Place],
    terms: BTreeMap<String, usize>,
    names: usize,
    regex: Option<Regex>,
}

impl Search<'_> {
    fn new(clues: &Clues) -> Option<Search<'_>> {
        let all = || clues.names.iter().chain(&clues.words);
        if clues.places.is_empty() && all().next().is_none() {
            return None;
        }
        let words: Vec<String> = all().map(|term| regex::escape(term)).collect();
        let regex = RegexBuilder::new(&format!(r"\b(?:{})\b", words.join("|")))
            .case_insensitive(true)
            .unicode(false)
            .build()
            .ok()
            .filter(|_| !words.is_empty());
        let terms = all().map(|term| term.to_lowercase()).zip(0..).collect();
        Some(Search { places: &clues.places, terms, names: clues.names.len(), regex })
    }

    fn look(&self, path: &str, content: Vec<u8>) -> Option<Found> {
        let mut found =
            Found { path: path.to_owned(), content, score: 0.0, terms: BTreeSet::new(), lines: Vec::new() };
        for (order, place) in self.places.iter().enumerate().filter(|(_, place)| is_meant(&place.path, path))
        {
            found.score = found.score.max(NAMED - order as f64);
            found.lines.extend(place.line);
        }
        if found.score == 0.0 {
            let stem = path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
            let parts = stem.split(['_', '-']).chain([stem]).map(str::to_lowercase);
            found.score += parts.filter(|part| self.terms.contains_key(part)).count() as f64 * 3.0;
        }
        if let Some(regex) = &self.regex {
            let mut line = Lines::new(&found.content);
            for hit in regex.find_iter(&found.content).take(2_000) {
                let term = String::from_utf8_lossy(hit.as_bytes()).to_lowercase();
                let Some(&term) = self.terms.get(&term) else { continue };
                // The first place of each term is most likely where it is made.
                if found.terms.insert(term) && term < self.names {
                    found.lines.push(line.at(hit.start()));
                }
            }
        }
        (found.score > 0.0 || !found.terms.is_empty()).then_some(found)
    }
}

/// Whether a place that somebody wrote is this file: from any folder up, or in a folder elsewhere.
fn is_meant(place: &str, path: &str) -> bool {
    let below = |whole: &str, end: &str| {
        whole.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    below(path, place) || below(place, path)
}

/// Counts lines forwards.
struct Lines<'a> {
    content: &'a [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn new(content: &[u8]) -> Lines<'_> {
        Lines { content, at: 0, line: 1 }
    }

    fn at(&mut self, offset: usize) -> usize {
        let between = self.content.get(self.at..offset).unwrap_or_default();
        self.line += between.iter().filter(|&&byte| byte == b'\n').count();
        self.at = offset;
        self.line
    }
}

/// The best first. A term that few files have says more.
fn ranked(mut found: Vec<Found>) -> Vec<Found> {
    let mut files_with: BTreeMap<usize, usize> = BTreeMap::new();
    for term in found.iter().flat_map(|file| &file.terms) {
        *files_with.entry(*term).or_default() += 1;
    }
    for file in &mut found {
        let worth = |term| 6.0 / files_with.get(term).copied().unwrap_or(1) as f64;
        file.score += file.terms.iter().map(worth).sum::<f64>();
    }
    found.retain(|file| file.score >= LEAST);
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.path.cmp(&b.path)));
    found.truncate(SHOWN);
    found
}

fn render(found: &[Found], room: usize) -> String {
    let mut shown = String::new();
    for file in found {
        let text = plain(&String::from_utf8_lossy(&file.content));
        let piece = excerpt(&file.path, &text, &file.lines);
        if shown.len() + piece.len() <= room {
            shown += &piece;
        }
    }
    shown
}

/// A file under its name, with numbered lines: whole if it is small, else around the lines that are meant.
fn excerpt(path: &str, text: &str, meant: &[usize]) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let wanted: BTreeSet<usize> = if text.len() <= WHOLE {
        (1..=lines.len()).collect()
    } else {
        let meant = if meant.is_empty() { &[1] } else { meant };
        let near = |&line: &usize| line.saturating_sub(AROUND).max(1)..=(line + AROUND).min(lines.len());
        meant.iter().take(HITS).flat_map(near).collect()
    };
    let path = plain(path).replace('\n', "\u{FFFD}");
    let whole = if wanted.len() == lines.len() { "whole" } else { "parts" };
    let mut shown = format!("--- {path} ({}, {whole})\n", counted(lines.len(), "line"));
    let mut last = None;
    for number in wanted {
        if last.is_some_and(|last| last + 1 < number) {
            shown += "...\n";
        }
        let line = lines.get(number - 1).copied().unwrap_or_default();
        let _ = writeln!(shown, "{number} {}", start(line, LINE_BYTES));
        last = Some(number);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(prompt: &str, files: &[(&str, &str)]) -> String {
        let clues = Clues::of([prompt]);
        let search = Search::new(&clues).unwrap();
        let found = files.iter().filter_map(|(path, text)| search.look(path, text.as_bytes().to_vec()));
        render(&ranked(found.collect()), 4_000)
    }

    #[test]
    fn what_is_named_comes_first_and_what_is_everywhere_not_at_all() {
        let files = [
            ("src/a.py", "def helper():\n    pass\n"),
            ("src/b.py", "import a\nline_total = 1\n"),
            ("src/c.py", "helper\n"),
            ("src/d.py", "helper\n"),
            ("src/e.py", "helper\n"),
        ];
        let shown = shown("line_total is wrong, see src/c.py; `helper` is fine", &files);
        assert_eq!(
            shown,
            "--- src/c.py (1 line, whole)\n1 helper\n--- src/b.py (2 lines, whole)\n1 import a\n2 line_total = 1\n"
        );
    }

    #[test]
    fn of_a_large_file_the_lines_around_are_shown() {
        let text: String = (1..=500).map(|n| format!("line number {n}\n")).collect();
        let shown = shown("crash at big.txt:200 and big.txt:499", &[("data/big.txt", &text)]);
        assert!(shown.starts_with("--- data/big.txt (500 lines, parts)\n197 line number 197\n"), "{shown}");
        assert!(shown.contains("203 line number 203\n...\n496 line"), "{shown}");
    }

    #[test]
    fn a_file_named_after_a_word_is_likely() {
        let shown = shown(
            "the invoice rounds wrongly",
            &[("src/invoice_lines.rs", "fn a() {}\n"), ("src/z.rs", "fn z() {}\n")],
        );
        assert!(shown.contains("invoice_lines.rs") && !shown.contains("z.rs"), "{shown}");
    }

    #[test]
    fn a_place_may_be_named_from_elsewhere() {
        assert!(is_meant("tmp/x/src/a.rs", "src/a.rs") && is_meant("a.rs", "src/a.rs"));
        assert!(!is_meant("a.rs", "src/ba.rs") && !is_meant("lib/a.rs", "src/a.rs"));
    }
}
