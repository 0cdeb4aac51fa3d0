//! Shows lines of a file, numbered, for jobs that have no shell.

use std::fmt::Write;

use super::{Answer, Input, ToolError, schema};
use crate::ToolSpec;
use crate::ports::Workspace;
use crate::text::{OUTPUT_BYTES, plain, start};

pub(super) const NAME: &str = "read";
/// Lines shown when the model does not say how many.
const LINES: usize = 250;
/// The most bytes of one line that are shown: minified files have lines of megabytes.
const LINE_BYTES: usize = 1_000;

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME,
        description: "Show a file's lines with their numbers: 250 from the first, or `lines` from `from_line`.",
        schema: schema(&[
            ("path", "string", false),
            ("from_line", "integer", true),
            ("lines", "integer", true),
        ]),
    }
}

pub(super) async fn run(input: Input<'_>, workspace: &dyn Workspace) -> Result<Answer, ToolError> {
    let path = input.path("path")?;
    let from = input.optional_count("from_line")?.unwrap_or(1);
    let lines = input.optional_count("lines")?.unwrap_or(LINES);
    let bytes = workspace.read(path).await?;
    if is_binary(&bytes) {
        return Err(format!("read: {path} is binary ({} bytes)", bytes.len()).into());
    }
    Ok(Answer::good(page(&plain(&String::from_utf8_lossy(&bytes)), from, lines)?))
}

/// As git decides it: a NUL early on.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(8_000).any(|&byte| byte == 0)
}

/// How many lines a file has, as the model is shown them.
pub fn line_count(bytes: &[u8]) -> usize {
    plain(&String::from_utf8_lossy(bytes)).lines().count()
}

fn page(text: &str, from: usize, lines: usize) -> Result<String, String> {
    let total = text.lines().count();
    if total == 0 {
        return Ok("(the file is empty)".to_owned());
    }
    if from > total {
        return Err(format!("read: the file has {total} lines: start at one of them"));
    }
    let mut page = String::new();
    for (index, line) in text.lines().enumerate().skip(from - 1).take(lines) {
        let cut = start(line, LINE_BYTES);
        let more = if cut.len() < line.len() { " [...]" } else { "" };
        if page.len() + cut.len() > OUTPUT_BYTES {
            let _ = write!(page, "[cut here; of {total} lines; go on with from_line {}]", index + 1);
            return Ok(page);
        }
        let _ = writeln!(page, "{} {cut}{more}", index + 1);
    }
    let shown = from.saturating_add(lines).saturating_sub(1).min(total);
    if shown < total {
        let _ = write!(page, "[of {total} lines; go on with from_line {}]", shown + 1);
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_numbers_and_says_how_to_go_on() {
        let text = "a\nb\nc\nd\n";
        assert_eq!(page(text, 1, 250).unwrap(), "1 a\n2 b\n3 c\n4 d\n");
        assert_eq!(page(text, 2, 2).unwrap(), "2 b\n3 c\n[of 4 lines; go on with from_line 4]");
        assert_eq!(page(text, 5, 1).unwrap_err(), "read: the file has 4 lines: start at one of them");
        assert_eq!(page("", 1, 1).unwrap(), "(the file is empty)");
    }

    #[test]
    fn a_page_is_bounded() {
        let text = "x".repeat(5_000) + "\n";
        let page = page(&text.repeat(100), 1, usize::MAX).unwrap();
        assert!(page.len() < OUTPUT_BYTES + 300, "{}", page.len());
        assert!(page.ends_with("go on with from_line 10]"), "{page}");
    }
}
