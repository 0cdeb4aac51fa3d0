//! Compares a workspace with its commit by reading it, and only reading it.
//!
//! What a link points at is never looked at; pipes, sockets and devices do not count as files; a `.git` inside counts for
//! nothing, so a nested repository is a folder like any other. What cannot be read counts as unchanged.

use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::dir::Dir;
use nix::fcntl::{AT_FDCWD, AtFlags, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstatat};

use crate::ForgeError;
use crate::checkout::{Tracked, Tree};
use crate::error::DIFF_BYTES;
use crate::ignored::Rules;
use crate::memory::{Memory, file_clock};
use crate::object::{Format, Kind, is_forbidden};
use crate::read::{Stamp, file_type, has_id, open_dir, open_file, read_at_most};

/// Bytes of changed files that are held in memory at once.
const HELD_BYTES: u64 = 64 << 20;
/// Changed files beyond which nobody reads a patch.
const CHANGED_FILES: usize = 20_000;
/// Folders below folders. Each level holds a file descriptor.
const DEPTH: usize = 128;

/// A path that differs from the commit.
pub(crate) struct Change {
    pub path: Vec<u8>,
    pub old: Option<Tracked>,
    /// None: it is gone.
    pub new: Option<(Kind, Vec<u8>)>,
}

/// Everything that differs between the folder `root` and `tree`.
pub(crate) fn changes(
    root: &Path,
    tree: &Tree,
    format: Format,
    memory: &mut Memory,
) -> Result<Vec<Change>, ForgeError> {
    let now = file_clock().map_err(ForgeError::disk("reading the time for", root))?;
    let dir = open_dir(AT_FDCWD, root).map_err(|errno| ForgeError::disk("reading", root)(errno.into()))?;
    let mut walk = Walk {
        tree,
        format,
        memory,
        now,
        rules: Rules::default(),
        found: Vec::new(),
        sizes: Vec::new(),
        held: 0,
        seen: std::collections::HashSet::new(),
        unread: Vec::new(),
    };
    walk.folder(dir, &mut Vec::new(), false, 0)?;
    walk.finish()
}

struct Walk<'a> {
    tree: &'a Tree,
    format: Format,
    memory: &'a mut Memory,
    /// When this began, by the clock that files have.
    now: i128,
    rules: Rules,
    found: Vec<Change>,
    /// (bytes, path) of every changed file, held or not.
    sizes: Vec<(u64, Vec<u8>)>,
    held: u64,
    seen: std::collections::HashSet<&'a [u8]>,
    /// Folders, with their slash, that could not be read.
    unread: Vec<Vec<u8>>,
}

impl<'a> Walk<'a> {
    /// Walks the folder `dir`, whose path is `path` (empty, or with a slash at its end; the same again afterwards).
    fn folder(
        &mut self,
        dir: OwnedFd,
        path: &mut Vec<u8>,
        ignored: bool,
        depth: usize,
    ) -> Result<(), ForgeError> {
        let listed = dir.try_clone().and_then(|copy| {
            let mut listed = Dir::from_fd(copy)?;
            listed.iter().map(|entry| Ok(entry?.file_name().to_owned())).collect::<io::Result<Vec<_>>>()
        });
        let Ok(mut names) = listed else {
            self.pass_over(path);
            return Ok(());
        };
        names.sort();
        let rules = self.rules.enter(&dir, path.len());
        for name in &names {
            if matches!(name.to_bytes(), b"." | b"..") || is_forbidden(name.to_bytes()) {
                continue;
            }
            let length = path.len();
            path.extend_from_slice(name.to_bytes());
            let walked = self.entry(&dir, name, path, ignored, depth);
            path.truncate(length);
            walked?;
        }
        self.rules.leave(rules);
        Ok(())
    }

    fn entry(
        &mut self,
        dir: &OwnedFd,
        name: &CStr,
        path: &mut Vec<u8>,
        ignored: bool,
        depth: usize,
    ) -> Result<(), ForgeError> {
        let Ok(stat) = fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW) else { return Ok(()) };
        let tracked = self.tree.get_key_value(path.as_slice());
        match file_type(&stat) {
            SFlag::S_IFDIR if tracked.is_some_and(|(_, tracked)| tracked.kind == Kind::Submodule) => Ok(()),
            SFlag::S_IFDIR => {
                let ignored = ignored || self.rules.leave_out(path, true);
                path.push(b'/');
                if ignored && !self.has_tracked_below(path) {
                    return Ok(());
                }
                match open_dir(dir, name) {
                    Ok(below) if depth < DEPTH => self.folder(below, path, ignored, depth + 1),
                    _ => {
                        self.pass_over(path);
                        Ok(())
                    }
                }
            }
            SFlag::S_IFREG | SFlag::S_IFLNK => {
                if let Some((key, _)) = tracked {
                    self.seen.insert(key);
                } else if ignored || self.rules.leave_out(path, false) {
                    return Ok(());
                }
                self.file(dir, name, path, &stat, tracked.map(|(_, tracked)| tracked))
            }
            _ => Ok(()),
        }
    }

    fn file(
        &mut self,
        dir: &OwnedFd,
        name: &CStr,
        path: &[u8],
        stat: &FileStat,
        tracked: Option<&Tracked>,
    ) -> Result<(), ForgeError> {
        let stamp = Stamp::of_stat(stat);
        if tracked.is_some_and(|old| {
            old.kind == Kind::Submodule
                || old.stamp.as_ref() == Some(&stamp)
                || self.memory.is_same(path, &stamp)
        }) {
            return Ok(());
        }
        let read = if file_type(stat) == SFlag::S_IFLNK {
            let target = readlinkat(dir, name).map_err(io::Error::from);
            target.map(|target| read_link(target.into_vec(), tracked, self.format))
        } else {
            let executable = Mode::from_bits_truncate(stat.st_mode).contains(Mode::S_IXUSR);
            let kind = if executable { Kind::Executable } else { Kind::File };
            read_file(dir, name, kind, tracked, self.format, HELD_BYTES - self.held.min(HELD_BYTES))
        };
        match read {
            Ok(Read::Same) => {
                if tracked.is_some() {
                    self.memory.note_same(path, stamp, self.now);
                }
                Ok(())
            }
            Ok(Read::Different(kind, content)) => {
                self.held += content.len() as u64;
                let bytes = content.len() as u64;
                self.note(
                    path,
                    bytes,
                    Change { path: path.to_vec(), old: tracked.cloned(), new: Some((kind, content)) },
                )
            }
            Ok(Read::TooLarge(bytes)) => {
                self.held = HELD_BYTES + 1;
                self.sizes.push((bytes, path.to_vec()));
                Ok(())
            }
            Err(error) => {
                let path = String::from_utf8_lossy(path);
                tracing::warn!(%path, %error, "a file of the workspace cannot be read and counts as unchanged");
                Ok(())
            }
        }
    }

    fn note(&mut self, path: &[u8], bytes: u64, change: Change) -> Result<(), ForgeError> {
        self.sizes.push((bytes, path.to_vec()));
        self.found.push(change);
        if self.found.len() > CHANGED_FILES { Err(too_large(&self.sizes)) } else { Ok(()) }
    }

    fn has_tracked_below(&self, prefix: &[u8]) -> bool {
        self.tree.range(prefix.to_vec()..).next().is_some_and(|(path, _)| path.starts_with(prefix))
    }

    fn pass_over(&mut self, path: &[u8]) {
        let shown = String::from_utf8_lossy(path);
        tracing::warn!(path = %shown, "a folder of the workspace cannot be read and counts as unchanged");
        self.unread.push(path.to_vec());
    }

    /// Adds what is gone.
    fn finish(mut self) -> Result<Vec<Change>, ForgeError> {
        for (path, old) in self.tree {
            let unknown = self.unread.iter().any(|folder| path.starts_with(folder));
            if old.kind != Kind::Submodule && !unknown && !self.seen.contains(path.as_slice()) {
                self.note(path, old.size, Change { path: path.clone(), old: Some(old.clone()), new: None })?;
            }
        }
        if self.held > HELD_BYTES { Err(too_large(&self.sizes)) } else { Ok(self.found) }
    }
}

enum Read {
    Same,
    Different(Kind, Vec<u8>),
    /// The bytes that it has.
    TooLarge(u64),
}

/// A link is its target. One that is not UTF-8 has no place in a patch, which is text: it counts as unchanged.
fn read_link(target: Vec<u8>, tracked: Option<&Tracked>, format: Format) -> Read {
    let mut hasher = format.blob_hasher(target.len() as u64);
    hasher.update(&target);
    let id = hasher.finish();
    let is_same = tracked.is_some_and(|old| old.kind == Kind::Symlink && old.id == id);
    if is_same || std::str::from_utf8(&target).is_err() {
        Read::Same
    } else {
        Read::Different(Kind::Symlink, target)
    }
}

fn read_file(
    dir: &OwnedFd,
    name: &CStr,
    kind: Kind,
    tracked: Option<&Tracked>,
    format: Format,
    limit: u64,
) -> io::Result<Read> {
    let Some((mut file, size)) = open_file(dir, name)? else { return Ok(Read::Same) };
    if let Some(old) = tracked
        && old.kind == kind
        && old.size == size
        && has_id(&mut file, format.blob_hasher(size), size, &old.id)?
    {
        return Ok(Read::Same);
    }
    if size > limit {
        return Ok(Read::TooLarge(size));
    }
    Ok(read_at_most(&mut file, limit)?.map_or(Read::TooLarge(size), |content| Read::Different(kind, content)))
}

/// The error that names the largest of `sizes`.
pub(crate) fn too_large(sizes: &[(u64, Vec<u8>)]) -> ForgeError {
    let mut largest: Vec<&(u64, Vec<u8>)> = sizes.iter().collect();
    largest.sort_by(|a, b| b.cmp(a));
    ForgeError::DiffTooLarge {
        files: sizes.len(),
        limit_bytes: DIFF_BYTES,
        largest: largest
            .into_iter()
            .take(5)
            .map(|(bytes, path)| (domain::clean(&OsStr::from_bytes(path).to_string_lossy()), *bytes))
            .collect(),
    }
}
