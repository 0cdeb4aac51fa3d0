//! The lock on a home: one command at a time runs a database there.
//!
//! The lock is the kernel's, so it goes with its process however that ends; what the file says only names the holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Who holds a lock that could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// 0 for the moment in which it is not written down yet.
    pub pid: u32,
    /// The command that it runs, such as `up`.
    pub command: String,
}

/// The answer to a try.
#[derive(Debug)]
pub enum Taken {
    /// The lock is ours.
    Mine(Lock),
    /// Somebody else has it.
    Theirs(Holder),
}

/// Tries once.
pub fn take(path: &Path, command: &str) -> io::Result<Taken> {
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            write!(file, "{} {command}", std::process::id())?;
            Ok(Taken::Mine(Lock { _file: file }))
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            file.take(200).read_to_string(&mut text)?;
            Ok(Taken::Theirs(holder(&text)))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn holder(text: &str) -> Holder {
    let (pid, command) = text.split_once(' ').unwrap_or((text, ""));
    Holder { pid: pid.parse().unwrap_or(0), command: command.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_was_first_and_follows_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let Taken::Mine(first) = take(&path, "up").unwrap() else { panic!("a free lock is had") };
        let Taken::Theirs(holder) = take(&path, "run").unwrap() else { panic!("a held lock is not had") };
        assert_eq!(holder, Holder { pid: std::process::id(), command: "up".into() });
        drop(first);
        assert!(matches!(take(&path, "run").unwrap(), Taken::Mine(_)));
    }
}
