//! A patch for a person: cleaned and, where that is wanted, coloured. A program gets it as it is, or it would not apply.

use domain::clean;

const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// The patch as it is shown at a terminal.
pub fn shown(patch: &str, colour: bool) -> String {
    let mut shown = String::with_capacity(patch.len());
    for line in patch.lines() {
        let line = clean(line);
        match style(&line).filter(|_| colour) {
            Some(style) => shown.extend([style, &line, PLAIN, "\n"]),
            None => shown.extend([line.as_str(), "\n"]),
        }
    }
    shown
}

fn style(line: &str) -> Option<&'static str> {
    if ["diff ", "+++ ", "--- ", "index ", "new file", "deleted file"]
        .iter()
        .any(|head| line.starts_with(head))
    {
        return Some(BOLD);
    }
    match line.as_bytes().first() {
        Some(b'+') => Some(GREEN),
        Some(b'-') => Some(RED),
        Some(b'@') => Some(CYAN),
        _ => None,
    }
}

/// How much a patch changes: (files, added lines, removed lines).
pub fn size(patch: &str) -> (usize, usize, usize) {
    let (mut files, mut added, mut removed, mut in_hunk) = (0, 0, 0, false);
    for line in patch.lines() {
        if line.starts_with("diff --git ") {
            (files, in_hunk) = (files + 1, false);
        } else if line.starts_with("@@") {
            in_hunk = true;
        } else if in_hunk && line.starts_with('+') {
            added += 1;
        } else if in_hunk && line.starts_with('-') {
            removed += 1;
        }
    }
    (files, added, removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str =
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-old\x1b[2J\n+new\n+more\n same\n";

    #[test]
    fn a_terminal_sees_colours_of_ours_and_none_of_strangers() {
        let coloured = shown(PATCH, true);
        assert!(coloured.contains("\x1b[31m-old\u{FFFD}[2J\x1b[0m\n"), "{coloured:?}");
        assert!(coloured.contains("\x1b[32m+new\x1b[0m\n"), "{coloured:?}");
        assert!(!shown(PATCH, false).contains('\x1b'));
    }

    #[test]
    fn a_patch_is_measured_by_its_hunks() {
        assert_eq!(size(PATCH), (1, 2, 1));
        assert_eq!(size(""), (0, 0, 0));
    }
}
