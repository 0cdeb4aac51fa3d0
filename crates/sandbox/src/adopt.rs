//! Hands a prepared folder to the user id that commands run with.
//!
//! No symbolic link is followed. A file with other names (hard links, as `git clone` of a local path makes them) is
//! replaced by a copy first: its owner is shared by all its names, some of which lie outside the folder.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::Path;

/// Makes `uid` (and the group of the same number) own `path` and everything under it.
pub fn adopt(path: &Path, uid: u32) -> io::Result<()> {
    let meta = fs::symlink_metadata(path)?;
    if meta.is_dir() {
        for entry in fs::read_dir(path)? {
            adopt(&entry?.path(), uid)?;
        }
    } else if meta.is_file() && meta.nlink() > 1 {
        separate(path, &meta)?;
    }
    // What is theirs already stays untouched, its time of change included: who compares files by it need not read them again.
    let theirs = meta.uid() == uid && meta.gid() == uid && (meta.is_dir() || meta.nlink() == 1);
    if theirs { Ok(()) } else { lchown(path, Some(uid), Some(uid)) }
}

/// Replaces `path` by a copy that has no other name.
fn separate(path: &Path, meta: &Metadata) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut copy = tempfile::NamedTempFile::new_in(folder)?;
    io::copy(&mut fs::File::open(path)?, &mut copy)?;
    copy.as_file().set_modified(meta.modified()?)?;
    copy.as_file().set_permissions(fs::Permissions::from_mode(meta.mode() & 0o777))?;
    copy.persist(path).map_err(|error| error.error)?;
    Ok(())
}
