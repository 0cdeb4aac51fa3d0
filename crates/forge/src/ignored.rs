//! Which paths `.gitignore` files leave out: those of the workspace, deeper ones first, as git has it.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::read::{open_file, read_at_most};

/// Bytes of a `.gitignore` beyond which it is no such file but an attack on memory.
const LARGEST: u64 = 1 << 20;

/// The rules of one folder and of those above it.
#[derive(Default)]
pub(crate) struct Rules {
    /// (bytes of the folder's path with its slash, its rules), outermost first.
    stack: Vec<(usize, Gitignore)>,
}

impl Rules {
    /// Enters the folder `dir`, whose path (empty, or with a slash at its end) has `depth` bytes. Returns what to give
    /// to [`Rules::leave`].
    pub fn enter(&mut self, dir: impl AsFd, depth: usize) -> usize {
        let before = self.stack.len();
        // A link, a pipe, a file that cannot be read: no rules, as with git.
        let content = open_file(dir, ".gitignore").ok().flatten();
        if let Some(Ok(Some(bytes))) = content.map(|(mut file, _)| read_at_most(&mut file, LARGEST)) {
            let mut builder = GitignoreBuilder::new("");
            for line in String::from_utf8_lossy(&bytes).lines() {
                // A pattern that means nothing matches nothing.
                let _ = builder.add_line(None, line);
            }
            if let Ok(rules) = builder.build() {
                self.stack.push((depth, rules));
            }
        }
        before
    }

    /// Leaves a folder.
    pub fn leave(&mut self, before: usize) {
        self.stack.truncate(before);
    }

    /// Whether `path` (from the workspace's root) is left out.
    pub fn leave_out(&self, path: &[u8], is_dir: bool) -> bool {
        for (depth, rules) in self.stack.iter().rev() {
            let relative = Path::new(OsStr::from_bytes(path.get(*depth..).unwrap_or_default()));
            match rules.matched(relative, is_dir) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        false
    }
}
