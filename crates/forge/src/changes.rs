//! What lies between two commits of a mirror: as a reader sees it, and where a forge lets somebody say something about it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::error::DIFF_BYTES;
use crate::object::unquoted;
use crate::{ForgeError, Mirror};

/// The changes that are reviewed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// A unified diff with three lines of context. Bytes that are not UTF-8 are shown as U+FFFD.
    pub diff: String,
    /// Whether the diff ends before the changes do, at the end of a line: it has at most 5 MB.
    pub is_cut: bool,
    /// Every changed file, in git's order, those included that the diff has no room for.
    pub files: Vec<ChangedFile>,
    hunks: BTreeMap<String, Vec<RangeInclusive<u32>>>,
}

/// A file that is not the same in both commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// Where it is now; of a file that is gone, where it was. Bytes that are not UTF-8 are shown as U+FFFD.
    pub path: String,
    /// Where it was, when it was somewhere else.
    pub from: Option<String>,
    /// What became of it.
    pub status: FileStatus,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FileStatus {
    Added,
    Deleted,
    Modified,
    Renamed,
}

impl Changes {
    /// The lines of the new state of `path` that the diff shows, changed ones and their context: one range for each hunk.
    pub fn hunks(&self, path: &str) -> &[RangeInclusive<u32>] {
        self.hunks.get(path).map_or(&[], Vec::as_slice)
    }

    /// Whether these lines of the new state stand in one hunk: the only places where a forge shows a comment.
    pub fn holds(&self, path: &str, lines: &RangeInclusive<u32>) -> bool {
        let within = |hunk: &RangeInclusive<u32>| hunk.contains(lines.start()) && hunk.contains(lines.end());
        lines.start() <= lines.end() && self.hunks(path).iter().any(within)
    }
}

impl Mirror {
    /// The changes from where the head left its base up to the head. None: the mirror was fetched without a head.
    ///
    /// # Errors
    /// `Git`, `Disk` or `TimedOut`.
    pub async fn changes(&self) -> Result<Option<Changes>, ForgeError> {
        let Some(since) = self.since() else { return Ok(None) };
        let call = || {
            self.call("compare the commits").args([
                "diff-tree",
                "-r",
                "--find-renames",
                "--no-color",
                "--no-ext-diff",
                "--no-textconv",
            ])
        };
        let listed = call().args(["-z", "--name-status", since, self.commit()]).succeed().await?;
        let shown = call()
            .args(["-p", "--unified=3", "--src-prefix=a/", "--dst-prefix=b/", since, self.commit()])
            .limit(DIFF_BYTES)
            .run()
            .await?;
        if !shown.success && !shown.cut {
            return Err(crate::stderr::local("compare the commits", &shown.stderr));
        }
        let mut diff = String::from_utf8_lossy(&shown.stdout).into_owned();
        if shown.cut {
            diff.truncate(diff.rfind('\n').map_or(0, |end| end + 1));
        }
        Ok(Some(Changes { hunks: hunks(&diff), diff, is_cut: shown.cut, files: files(&listed) }))
    }
}

/// Reads `STATUS NUL PATH NUL`, of a renamed file `STATUS NUL OLD NUL NEW NUL`.
fn files(listed: &[u8]) -> Vec<ChangedFile> {
    let mut words = listed.split(|&byte| byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    let mut files = Vec::new();
    while let (Some(status), Some(path)) = (words.next(), words.next()) {
        let status = match status.as_bytes().first() {
            Some(b'A') => FileStatus::Added,
            Some(b'D') => FileStatus::Deleted,
            Some(b'R') => FileStatus::Renamed,
            _ => FileStatus::Modified,
        };
        files.push(match (status, status == FileStatus::Renamed) {
            (_, true) => match words.next() {
                Some(to) => ChangedFile { path: to, from: Some(path), status },
                None => break,
            },
            _ => ChangedFile { path, from: None, status },
        });
    }
    files
}

/// The new side of each hunk, by path. Lines are counted, so that none within a hunk is taken for a header.
fn hunks(diff: &str) -> BTreeMap<String, Vec<RangeInclusive<u32>>> {
    let mut found: BTreeMap<String, Vec<RangeInclusive<u32>>> = BTreeMap::new();
    let mut path = None;
    let (mut old_left, mut new_left) = (0_u32, 0_u32);
    for line in diff.split('\n') {
        if old_left > 0 || new_left > 0 {
            match line.as_bytes().first() {
                Some(b'-') => old_left = old_left.saturating_sub(1),
                Some(b'+') => new_left = new_left.saturating_sub(1),
                Some(b'\\') => {}
                _ => (old_left, new_left) = (old_left.saturating_sub(1), new_left.saturating_sub(1)),
            }
        } else if line.starts_with("diff --git ") {
            path = None;
        } else if let Some(name) = line.strip_prefix("+++ ") {
            path = new_path(name);
        } else if let (Some(path), Some((old, (start, count)))) = (&path, hunk_header(line)) {
            (old_left, new_left) = (old, count);
            if count > 0 {
                let range = start..=start.saturating_add(count - 1);
                found.entry(path.clone()).or_default().push(range);
            }
        }
    }
    found
}

/// `b/PATH`, between quotes where git thinks that it needs them, with a tab at its end where it holds spaces.
fn new_path(name: &str) -> Option<String> {
    let name = name.strip_suffix('\t').unwrap_or(name);
    unquoted(name).strip_prefix("b/").map(str::to_owned)
}

/// Of `@@ -1,2 +3,4 @@`: 2, then 3 and 4. A count of one is left out.
fn hunk_header(line: &str) -> Option<(u32, (u32, u32))> {
    let (old, rest) = line.strip_prefix("@@ -")?.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let range = |text: &str| -> Option<(u32, u32)> {
        match text.split_once(',') {
            Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
            None => Some((text.parse().ok()?, 1)),
        }
    };
    Some((range(old)?.1, range(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_are_counted_and_not_guessed() {
        let diff = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@ fn\n a\n--- b/y\n++++ b/z\n+@@ -9 +9 @@\n\
                    @@ -10 +11 @@\n-old\n\\ No newline at end of file\n+new\n\
                    diff --git a/gone b/gone\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\
                    diff --git \"a/\\303\\251\" \"b/\\303\\251\"\n--- \"a/\\303\\251\"\n+++ \"b/\\303\\251\"\n@@ -0,0 +1,2 @@\n+1\n+2\n\
                    diff --git a/a b b/a b\n--- a/a b\t\n+++ b/a b\t\n@@ -5 +5 @@\n-1\n+2\n";
        let found = hunks(diff);
        assert_eq!(found["x"], [1..=3, 11..=11]);
        assert_eq!(found["é"], [1..=2]);
        assert_eq!(found["a b"], [5..=5]);
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn a_place_must_stand_in_one_hunk() {
        let hunks = BTreeMap::from([("x".to_owned(), vec![1..=3, 8..=9])]);
        let changes = Changes { hunks, ..Changes::default() };
        for (lines, expected) in
            [(1..=3, true), (3..=3, true), (3..=8, false), (4..=4, false), (0..=1, false)]
        {
            assert_eq!(changes.holds("x", &lines), expected, "{lines:?}");
        }
        assert!(!changes.holds("y", &(1..=1)));
    }

    #[test]
    fn files_are_listed_by_their_status() {
        let found = files(b"M\0a\0R087\0old name\0new\0D\0gone\0A\0x\0");
        let file = |path: &str, from: Option<&str>, status| ChangedFile {
            path: path.into(),
            from: from.map(str::to_owned),
            status,
        };
        assert_eq!(
            found,
            [
                file("a", None, FileStatus::Modified),
                file("new", Some("old name"), FileStatus::Renamed),
                file("gone", None, FileStatus::Deleted),
                file("x", None, FileStatus::Added),
            ]
        );
    }
}
