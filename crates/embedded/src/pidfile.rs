//! `postmaster.pid`: who serves a data folder, and how far it is.
//!
//! The file outlives a killed server, and its process id may by then be anybody's.

use std::fs;
use std::io;
use std::path::Path;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub pid: i32,
    /// Whether the server takes connections.
    pub ready: bool,
}

const NAME: &str = "postmaster.pid";

/// Reads the file of `data`. None when there is none, or when it is just being written.
pub(crate) fn read(data: &Path) -> Option<PidFile> {
    parse(&fs::read_to_string(data.join(NAME)).ok()?)
}

fn parse(text: &str) -> Option<PidFile> {
    // Line 8 is the status, padded with spaces.
    let status = text.lines().nth(7).map(str::trim);
    Some(PidFile { pid: text.lines().next()?.trim().parse().ok()?, ready: status == Some("ready") })
}

/// The server that is alive on `data`, by its process id.
pub(crate) fn live_server(data: &Path) -> Option<i32> {
    read(data).map(|file| file.pid).filter(|&pid| serves(pid, data))
}

/// Whether this process is the server of `data`.
///
/// A server's working directory is its data folder, which tells it from a process that was given its number since.
#[cfg(target_os = "linux")]
pub(crate) fn serves(pid: i32, data: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == data)
}

/// Whether there is such a process: elsewhere no more can be told.
#[cfg(not(target_os = "linux"))]
pub(crate) fn serves(pid: i32, _data: &Path) -> bool {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None).is_ok()
}

/// Makes PostgreSQL see a dead server's file as stale even where its process id belongs to somebody else now.
///
/// The file is not removed: it also names the shared memory by which PostgreSQL notices that children of the dead
/// server are still at work. Our own id is put in place of the dead one, because a server never takes its parent
/// for a rival.
pub(crate) fn disown(data: &Path) -> io::Result<()> {
    let path = data.join(NAME);
    match fs::read_to_string(&path) {
        Ok(text) => match text.split_once('\n') {
            Some((_, rest)) => fs::write(&path, format!("{}\n{rest}", std::process::id())),
            None => fs::remove_file(&path),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTING: &str = "4711\n/data\n1763800000\n5432\n/run\n\n 11 22\nstarting\n";

    #[test]
    fn the_eighth_line_says_whether_it_is_ready() {
        assert_eq!(parse(STARTING), Some(PidFile { pid: 4711, ready: false }));
        assert_eq!(
            parse(&STARTING.replace("starting", "ready   ")),
            Some(PidFile { pid: 4711, ready: true })
        );
        assert_eq!(parse("4711\n/data\n"), Some(PidFile { pid: 4711, ready: false }));
        assert_eq!(parse(""), None);
    }

    #[test]
    fn a_living_process_elsewhere_is_not_the_server() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join(NAME), STARTING.replace("4711", &std::process::id().to_string())).unwrap();
        #[cfg(target_os = "linux")]
        assert_eq!(live_server(data.path()), None);
    }

    #[test]
    fn disowning_keeps_the_shared_memory_line() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join(NAME), STARTING).unwrap();
        disown(data.path()).unwrap();
        let text = fs::read_to_string(data.path().join(NAME)).unwrap();
        assert!(
            text.starts_with(&format!("{}\n/data\n", std::process::id())) && text.contains("\n 11 22\n"),
            "{text}"
        );
    }
}
