//! What a review looks at, and how much of it stands in the first turn.

use std::fmt::Write;

use crate::text::{counted, plain};

/// The changes under review: those that lie between two commits, of which the workspace stands at the later one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The changed paths, as a person would list them.
    pub files: Vec<String>,
    /// All of them as one unified diff, or the beginning of it.
    pub diff: String,
    /// Whether the diff ends before its end.
    pub is_cut: bool,
}

/// The most files that are listed.
const LISTED: usize = 300;

impl Changes {
    /// As the model is shown them: the list, and as many files' diffs as fit into `room` bytes, the small ones first.
    pub(crate) fn shown(&self, room: usize) -> String {
        let mut shown = format!(
            "\nChanges under review, {}; the checkout stands at their end:\n",
            counted(self.files.len(), "file")
        );
        for file in self.files.iter().take(LISTED) {
            let _ = writeln!(shown, "  {}", plain(file).replace('\n', "\u{FFFD}"));
        }
        if self.files.len() > LISTED {
            let _ = writeln!(shown, "  (and {} more)", self.files.len() - LISTED);
        }
        let pieces: Vec<&str> = pieces(&self.diff);
        let mut by_size: Vec<usize> = (0..pieces.len()).collect();
        by_size.sort_by_key(|&index| pieces.get(index).map_or(0, |piece| piece.len()));
        let mut left = room;
        let mut fits = vec![false; pieces.len()];
        for index in by_size {
            let Some((piece, fit)) = pieces.get(index).zip(fits.get_mut(index)) else { continue };
            *fit = piece.len() <= left;
            left = left.saturating_sub(piece.len());
        }
        shown += "\nDiff:\n";
        for (piece, _) in pieces.iter().zip(&fits).filter(|(_, fits)| **fits) {
            shown += &plain(piece);
        }
        if self.is_cut || fits.contains(&false) {
            shown += "[the diff of other files is left out, as it is large: read them]\n";
        }
        shown
    }
}

/// A unified diff by files.
fn pieces(diff: &str) -> Vec<&str> {
    const HEAD: &str = "diff --git ";
    let mut starts: Vec<usize> = diff.match_indices("\ndiff --git ").map(|(at, _)| at + 1).collect();
    if diff.starts_with(HEAD) {
        starts.insert(0, 0);
    }
    let ends = starts.iter().skip(1).copied().chain([diff.len()]);
    starts.iter().zip(ends).filter_map(|(&start, end)| diff.get(start..end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes() -> Changes {
        let large = format!("diff --git a/big b/big\n@@ -1 +1 @@\n{}", "+x\n".repeat(100));
        let diff = format!(
            "diff --git a/a b/a\n@@ -1 +1 @@\n-1\n+2\n{large}diff --git a/c b/c\n@@ -1 +1 @@\n-1\n+3\n"
        );
        Changes { files: ["a", "big", "c"].map(String::from).into(), diff, is_cut: false }
    }

    #[test]
    fn all_of_it_is_shown_where_it_fits() {
        let shown = changes().shown(10_000);
        assert!(
            shown.contains("3 files") && shown.contains("  big\n") && shown.ends_with(&changes().diff),
            "{shown}"
        );
    }

    #[test]
    fn small_files_come_before_large_ones_and_in_their_order() {
        let shown = changes().shown(100);
        assert!(shown.find("a/a b/a") < shown.find("a/c b/c") && !shown.contains("b/big"), "{shown}");
        assert!(shown.ends_with("read them]\n"), "{shown}");
        let cut = Changes { is_cut: true, ..changes() }.shown(10_000);
        assert!(cut.ends_with("read them]\n"));
    }
}
