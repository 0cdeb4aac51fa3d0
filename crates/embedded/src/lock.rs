//! One owner per folder: a lock that the kernel releases when its owner dies, however it dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::libc::O_NOFOLLOW;

/// A held lock.
#[derive(Debug)]
pub(crate) struct Lock(File);

/// What came of trying.
pub(crate) enum Attempt {
    Held(Lock),
    /// Somebody else holds it; the process id is what they wrote into it.
    Taken {
        pid: Option<i32>,
    },
}

impl Lock {
    /// Takes the lock at `path`, made when it is not there.
    pub fn take(path: &Path) -> io::Result<Attempt> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(O_NOFOLLOW)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text)?;
                return Ok(Attempt::Taken { pid: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        file.set_len(0)?;
        file.write_all(std::process::id().to_string().as_bytes())?;
        Ok(Attempt::Held(Lock(file)))
    }
}

impl Drop for Lock {
    /// Closing alone would not do: a process that another thread is just forking shares the open file for a moment.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::debug!(%error, "the lock on the data folder is released by closing it");
        }
    }
}
