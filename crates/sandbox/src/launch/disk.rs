//! A bound on what a command's folders hold, where no quota can be set: the supervisor looks now and then.
//!
//! Walking through a workspace is dear, and asking its file system how much is in use is not. So the walk comes when the
//! file system has filled up by a good part of what the command has left, or when there was none for a while. A command may
//! so be over its bound for a moment; it is not for longer.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::statvfs::statvfs;

use crate::Limits;

/// How often the file system is asked.
pub const INTERVAL: Duration = Duration::from_millis(200);
/// The least time between two walks that nothing gave reason to; longer where a walk takes long.
const REST: Duration = Duration::from_secs(5);
/// Bytes that a file system must have left, so that no other program of the machine fails for a command's sake.
const RESERVE: u64 = 64 << 20;

/// The folders of one command.
pub struct Disk {
    places: Vec<PathBuf>,
    limits: Limits,
    /// What the file systems held at the last walk, and what may come before the next.
    seen: Use,
    room: Use,
    next: Instant,
    at_first: Use,
}

/// Bytes and files.
#[derive(Clone, Copy, Default)]
struct Use {
    bytes: u64,
    inodes: u64,
}

impl Disk {
    /// Nothing is walked yet: most commands end before it matters.
    pub fn new(places: Vec<PathBuf>, limits: Limits) -> Disk {
        let seen = in_use(&places);
        let room = Use { bytes: limits.disk / 8, inodes: limits.inodes / 8 };
        Disk { places, limits, seen, room, next: Instant::now() + REST, at_first: seen }
    }

    /// Whether the command must end. `stop`: whether it must anyway, so that nobody waits for a long walk.
    pub fn is_over(&mut self, stop: impl Fn() -> bool) -> bool {
        let now = in_use(&self.places);
        if now.bytes > self.at_first.bytes && self.places.iter().any(|place| is_nearly_full(place)) {
            return true;
        }
        let grown = |now: u64, seen: u64, room: u64| now.saturating_sub(seen) > room;
        let reason = grown(now.bytes, self.seen.bytes, self.room.bytes)
            || grown(now.inodes, self.seen.inodes, self.room.inodes);
        if !reason && Instant::now() < self.next {
            return false;
        }
        let started = Instant::now();
        let Some(held) = walk(&self.places, &self.limits, stop) else { return true };
        let left = |limit: u64, held: u64| limit.saturating_sub(held) / 2;
        self.room =
            Use { bytes: left(self.limits.disk, held.bytes), inodes: left(self.limits.inodes, held.inodes) };
        self.seen = now;
        self.next = Instant::now() + REST.max(started.elapsed() * 20);
        held.bytes > self.limits.disk || held.inodes > self.limits.inodes
    }
}

fn in_use(places: &[PathBuf]) -> Use {
    let one = |place: &PathBuf| statvfs(place).ok();
    places.iter().filter_map(one).fold(Use::default(), |sum, stat| {
        let bytes = stat.blocks().saturating_sub(stat.blocks_free()) * stat.fragment_size();
        let inodes = stat.files().saturating_sub(stat.files_free());
        Use { bytes: sum.bytes + bytes, inodes: sum.inodes + inodes }
    })
}

fn is_nearly_full(place: &Path) -> bool {
    statvfs(place).is_ok_and(|stat| {
        let size = stat.blocks() * stat.fragment_size();
        (stat.blocks_free() * stat.fragment_size()) < RESERVE.min(size / 100)
    })
}

/// What the folders hold, or more than the limits when it became clear that they do. None: there are folders so deep that
/// nobody can look, which no honest work makes.
fn walk(places: &[PathBuf], limits: &Limits, stop: impl Fn() -> bool) -> Option<Use> {
    let mut held = Use::default();
    let mut folders = places.to_vec();
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.raw_os_error() == Some(libc::ENAMETOOLONG) => return None,
            // Gone meanwhile.
            Err(_) => continue,
        };
        for entry in entries.flatten() {
            // Of a link itself, never of what it leads to.
            let Ok(meta) = entry.metadata() else { continue };
            held.inodes += 1;
            held.bytes += meta.blocks() * 512 / meta.nlink().max(1);
            if meta.is_dir() {
                folders.push(entry.path());
            }
        }
        if held.bytes > limits.disk || held.inodes > limits.inodes || stop() {
            break;
        }
    }
    Some(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(disk: u64, inodes: u64) -> Limits {
        Limits { disk, inodes, ..Limits::default() }
    }

    #[test]
    fn what_folders_hold_is_counted_without_following_links() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir(at("folder")).unwrap();
        fs::write(at("folder/file"), vec![1; 100_000]).unwrap();
        std::os::unix::fs::symlink("/usr", at("link")).unwrap();
        fs::hard_link(at("folder/file"), at("again")).unwrap();
        let held = walk(&[place.path().to_owned()], &limits(1 << 30, 1_000), || false).unwrap();
        assert_eq!(held.inodes, 4);
        assert!((100_000..200_000).contains(&held.bytes), "{} bytes", held.bytes);
    }

    #[test]
    fn a_walk_ends_when_it_knows_enough() {
        let held = walk(&["/usr".into()], &limits(1 << 40, 50), || false).unwrap();
        assert!((51..100_000).contains(&held.inodes), "{}", held.inodes);
    }
}
