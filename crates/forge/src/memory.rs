//! What earlier diffs of a workspace found out, so that a later one reads only what has changed since.

use std::collections::HashMap;
use std::io;

use nix::time::{ClockId, clock_gettime};

use crate::object::{Format, Kind};
use crate::read::Stamp;
use crate::walk::Change;

/// A change within the same tick of the file system's clock (10 ms at most) leaves no trace in an inode.
pub(crate) const TICKS_NS: i128 = 50_000_000;

/// Kept by a workspace from one diff to the next.
#[derive(Default)]
pub(crate) struct Memory {
    /// Tracked files that were read and found to be as the commit has them, and what their inodes said then.
    same: HashMap<Vec<u8>, Stamp>,
    /// The last changes, and the patch that they make.
    last: Option<(Vec<Known>, String)>,
}

/// A change without its bytes.
#[derive(PartialEq, Eq)]
struct Known {
    path: Vec<u8>,
    old: Option<(Kind, String)>,
    new: Option<(Kind, String)>,
}

impl Memory {
    /// Whether the file at `path` was found unchanged when its inode said the same.
    pub fn is_same(&self, path: &[u8], stamp: &Stamp) -> bool {
        self.same.get(path) == Some(stamp)
    }

    /// Notes that the file at `path` is as the commit has it. `now` is from before it was read.
    pub fn note_same(&mut self, path: &[u8], stamp: Stamp, now: i128) {
        if stamp.changed_ns() < now - TICKS_NS {
            self.same.insert(path.to_vec(), stamp);
        }
    }

    /// The patch of these changes, if they are the last ones again.
    pub fn patch(&self, changes: &[Change], format: Format) -> Option<String> {
        let (last, patch) = self.last.as_ref()?;
        (*last == known(changes, format)).then(|| patch.clone())
    }

    /// Keeps the patch that `changes` make; what they were is told by [`Memory::keys`] before they are used up.
    pub fn keep(&mut self, changes: Keys, patch: &str) {
        self.last = Some((changes.0, patch.to_owned()));
    }

    /// For [`Memory::keep`].
    pub fn keys(changes: &[Change], format: Format) -> Keys {
        Keys(known(changes, format))
    }
}

/// Changes without their bytes.
pub(crate) struct Keys(Vec<Known>);

fn known(changes: &[Change], format: Format) -> Vec<Known> {
    let id = |content: &[u8]| {
        let mut hasher = format.blob_hasher(content.len() as u64);
        hasher.update(content);
        hasher.finish()
    };
    let key = |change: &Change| Known {
        path: change.path.clone(),
        old: change.old.as_ref().map(|old| (old.kind, old.id.clone())),
        new: change.new.as_ref().map(|(kind, content)| (*kind, id(content))),
    };
    changes.iter().map(key).collect()
}

/// Nanoseconds since 1970 by the clock that the kernel takes for files.
pub(crate) fn file_clock() -> io::Result<i128> {
    let now = clock_gettime(ClockId::CLOCK_REALTIME_COARSE).map_err(io::Error::from)?;
    Ok(i128::from(now.tv_sec()) * 1_000_000_000 + i128::from(now.tv_nsec()))
}
