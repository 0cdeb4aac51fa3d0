//! The server's own log: where it goes, and the end of it for error messages.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::libc::O_NOFOLLOW;

/// A log longer than this (bytes) is set aside as `.1` at the next start; one such copy is kept.
const LONGEST: u64 = 10 << 20;
/// How much of the end is looked at for an error message (bytes, then lines).
const TAIL_BYTES: u64 = 8 << 10;
const TAIL_LINES: usize = 12;

/// Sets a long log aside.
pub(crate) fn rotate(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(log) if log.len() > LONGEST => fs::rename(path, path.with_extension("log.1")),
        _ => Ok(()),
    }
}

/// Opens the log for appending. Symlinks are refused: root writes here, and the folder is another user's.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(O_NOFOLLOW).open(path)
}

/// The last lines that were written after byte `from`.
pub(crate) fn tail(path: &Path, from: u64) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = OpenOptions::new().read(true).custom_flags(O_NOFOLLOW).open(path)?;
        let start = from.max(file.metadata()?.len().saturating_sub(TAIL_BYTES));
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => last_lines(&String::from_utf8_lossy(&bytes)),
        Err(error) => format!("(the log cannot be read: {error})"),
    }
}

/// The last lines of `text` that are worth quoting.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    match lines.len() {
        0 => "(nothing)".to_owned(),
        count => lines[count.saturating_sub(TAIL_LINES)..].join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_this_start_is_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("postgres.log");
        fs::write(&path, "an old line\n").unwrap();
        let from = fs::metadata(&path).unwrap().len();
        assert_eq!(tail(&path, from), "(nothing)");
        let lines: Vec<String> = (0..20).map(|n| format!("line {n}")).collect();
        fs::write(&path, format!("an old line\n{}\n", lines.join("\n"))).unwrap();
        assert_eq!(tail(&path, from), lines[8..].join("\n"));
    }

    #[test]
    fn a_symlink_is_not_written_through() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/null", dir.path().join("postgres.log")).unwrap();
        assert!(open(&dir.path().join("postgres.log")).is_err());
    }
}
