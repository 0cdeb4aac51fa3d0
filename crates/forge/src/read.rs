//! Reads files that somebody else may be changing at this very moment: without following a link, and without waiting.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use nix::NixPath;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};

use crate::ForgeError;
use crate::object::BlobHasher;

/// What an inode says of its content. A write changes at least one of these: nobody but the kernel sets the change time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    size: i128,
    mode: u32,
    modified_ns: i128,
    changed_ns: i128,
}

impl Stamp {
    pub fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            inode: metadata.ino(),
            size: i128::from(metadata.size()),
            mode: metadata.mode(),
            modified_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    pub fn of_stat(stat: &FileStat) -> Stamp {
        Stamp {
            inode: stat.st_ino,
            size: i128::from(stat.st_size),
            mode: stat.st_mode,
            modified_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
            changed_ns: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
        }
    }

    pub fn changed_ns(&self) -> i128 {
        self.changed_ns
    }
}

fn nanoseconds(seconds: i64, rest: i64) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(rest)
}

/// The type bits of a mode.
pub(crate) fn file_type(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

/// Opens the folder `name` of `dir`, if it is one and no link to one.
pub(crate) fn open_dir(dir: impl AsFd, name: &(impl NixPath + ?Sized)) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(dir, name, flags, Mode::empty())
}

/// Opens the file `name` of `dir`. None: it is no regular file (any more).
pub(crate) fn open_file(dir: impl AsFd, name: &(impl NixPath + ?Sized)) -> io::Result<Option<(File, u64)>> {
    // Without O_NONBLOCK the open of a named pipe waits for its other end.
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let fd = openat(dir, name, flags, Mode::empty())?;
    let stat = fstat(&fd)?;
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    Ok((file_type(&stat) == SFlag::S_IFREG).then(|| (File::from(fd), size)))
}

/// The content of `file`, or None if it has more than `limit` bytes.
pub(crate) fn read_at_most(file: &mut File, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// Whether the content of `file` has this id; then back to its start.
pub(crate) fn has_id(file: &mut File, mut hasher: BlobHasher, size: u64, id: &str) -> io::Result<bool> {
    let mut buffer = vec![0; 64 << 10];
    let mut source = (&mut *file).take(size);
    loop {
        match source.read(&mut buffer)? {
            0 => break,
            read => hasher.update(buffer.get(..read).unwrap_or_default()),
        }
    }
    file.rewind()?;
    Ok(hasher.finish() == id)
}

/// Does file work where it holds up nobody.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ForgeError> + Send + 'static,
) -> Result<T, ForgeError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(source) => {
            Err(ForgeError::Disk { what: "file work was given up".into(), source: io::Error::other(source) })
        }
    }
}
