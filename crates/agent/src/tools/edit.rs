//! Replaces a piece of a file that occurs exactly once, or creates a file.
//!
//! The model sees Unix line ends only; in a file with CRLF ends the change is made with CRLF ends.

use super::{Answer, Input, ToolError, schema};
use crate::ToolSpec;
use crate::ports::{Workspace, WorkspaceError};
use crate::text::{plain, start};

pub(crate) const NAME: &str = "edit";
/// The most bytes of a file that an error message quotes.
const QUOTE_BYTES: usize = 1_500;

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME,
        description: "Replace `old`, which must occur exactly once in the file, by `new`. An empty `old` creates the file.",
        schema: schema(&[("path", "string", false), ("old", "string", false), ("new", "string", false)]),
    }
}

pub(super) async fn run(input: Input<'_>, workspace: &dyn Workspace) -> Result<Answer, ToolError> {
    let (path, old, new) = (input.path("path")?, input.text("old")?, input.text("new")?);
    let current = match workspace.read(path).await {
        Ok(bytes) => Some(bytes),
        Err(WorkspaceError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let (text, done) = match current {
        None if old.is_empty() => (new.to_owned(), format!("created {path}")),
        None => return Err(format!("edit: there is no file {path}: an empty `old` creates it").into()),
        Some(bytes) if bytes.is_empty() && old.is_empty() => (new.to_owned(), format!("filled {path}")),
        Some(_) if old.is_empty() => {
            let told = format!("edit: {path} exists already: give the text to replace as `old`");
            return Err(told.into());
        }
        Some(bytes) => {
            let text = String::from_utf8(bytes)
                .map_err(|_| format!("edit: {path} is not UTF-8 text: change it with bash"))?;
            let (text, line) = replace(&text, old, new).map_err(|why| format!("edit: {path}: {why}"))?;
            (text, format!("changed {path} at line {line}"))
        }
    };
    workspace.write(path, text.as_bytes()).await?;
    Ok(Answer { output: done, is_error: false, may_change: true })
}

/// `text` with its one `old` replaced, and the line where it stood. The error says what to do.
fn replace(text: &str, old: &str, new: &str) -> Result<(String, usize), String> {
    if old == new {
        return Err("`old` and `new` are the same: nothing would change".to_owned());
    }
    let (mut old, mut new) = (old.to_owned(), new.to_owned());
    if text.contains("\r\n") && !old.contains('\r') {
        (old, new) = (old.replace('\n', "\r\n"), new.replace("\r\n", "\n").replace('\n', "\r\n"));
    }
    let places = places(text, &old);
    match places[..] {
        [at] => Ok((format!("{}{new}{}", &text[..at], &text[at + old.len()..]), line_of(text, at))),
        [] => Err(not_found(text, &old)),
        _ => {
            let lines: Vec<_> = places.iter().take(10).map(|&at| line_of(text, at).to_string()).collect();
            let more = if places.len() > lines.len() { ", ..." } else { "" };
            Err(format!(
                "`old` occurs {} times (lines {}{more}): add lines around the one you mean",
                places.len(),
                lines.join(", ")
            ))
        }
    }
}

/// Where `old` starts in `text`, overlapping places included.
fn places(text: &str, old: &str) -> Vec<usize> {
    let step = old.chars().next().map_or(1, char::len_utf8);
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(found) = text[from..].find(old) {
        places.push(from + found);
        from += found + step;
    }
    places
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Why `old` is not there: most often its white space is wrong, or only its first line is right.
fn not_found(text: &str, old: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let wanted: Vec<&str> = old.trim().lines().map(str::trim).collect();
    let Some(first) = wanted.first().filter(|line| !line.is_empty()) else {
        return "`old` is only white space that does not occur: give a line of text".to_owned();
    };
    let near = lines
        .windows(wanted.len())
        .position(|window| window.iter().zip(&wanted).all(|(line, wanted)| line.trim() == *wanted));
    if let Some(at) = near {
        let quoted = lines[at..at + wanted.len()].join("\n");
        return format!(
            "`old` does not occur, but line {} on differs from it in white space only. It reads exactly:\n{}",
            at + 1,
            plain(start(&quoted, QUOTE_BYTES))
        );
    }
    match lines.iter().position(|line| line.trim() == *first) {
        Some(at) => {
            let quoted = lines[at..lines.len().min(at + wanted.len())].join("\n");
            format!(
                "`old` does not occur; its first line does, at line {}, where the file reads:\n{}",
                at + 1,
                plain(start(&quoted, QUOTE_BYTES))
            )
        }
        None => "`old` does not occur: read the file and copy the text exactly".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str, old: &str) -> String {
        replace(text, old, "new").unwrap_err()
    }

    #[test]
    fn the_one_place_is_replaced() {
        assert_eq!(replace("a\nb\nc\n", "b\n", "x\n"), Ok(("a\nx\nc\n".to_owned(), 2)));
    }

    #[test]
    fn several_places_are_named_by_line() {
        let expected = "`old` occurs 2 times (lines 1, 3): add lines around the one you mean";
        assert_eq!(why("x = 1\ny\nx = 1\n", "x = 1"), expected);
        assert!(why("aaa", "aa").contains("2 times"), "overlapping places are two");
        assert!(why("ééé", "éé").contains("2 times"), "in any script");
    }

    #[test]
    fn a_near_miss_is_shown_as_it_is() {
        let told = why("def f():\n\treturn 1\n", "def f():\n    return 1\n");
        assert!(told.contains("line 1 on differs from it in white space only"), "{told}");
        assert!(told.ends_with("def f():\n\treturn 1"), "{told}");
    }

    #[test]
    fn a_right_first_line_is_pointed_at() {
        let told = why("a\nfn f() {\n  old();\n}\n", "fn f() {\n  other();\n");
        assert!(told.contains("at line 2, where the file reads:\nfn f() {\n  old();"), "{told}");
        assert!(why("a\n", "zzz").contains("copy the text exactly"));
        assert!(why("a\n", " \n ").contains("only white space"));
        assert!(replace("a", "a", "a").unwrap_err().contains("the same"));
    }

    #[test]
    fn windows_line_ends_stay() {
        let (text, line) = replace("a\r\nb\r\nc\r\n", "b\nc", "x\ny").unwrap();
        assert_eq!((text.as_str(), line), ("a\r\nx\r\ny\r\n", 2));
    }
}
