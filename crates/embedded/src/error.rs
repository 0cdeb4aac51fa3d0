//! What can go wrong, each with what to do about it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why there is no server. The messages stand alone; the causes are in `source`.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the messages are the documentation of the variants and their fields
pub enum EmbeddedError {
    #[error(
        "no PostgreSQL server is installed: install one with `sudo apt-get install -y postgresql` (Debian, Ubuntu), \
         `sudo dnf install -y postgresql-server` (Fedora) or `brew install postgresql@17` (macOS)"
    )]
    NotInstalled,
    #[error("cannot {doing} {}: name a data folder that {user} may write to", path.display())]
    Folder { doing: &'static str, path: PathBuf, user: String, source: io::Error },
    #[error(
        "the server runs as user {user}, who may not enter {}: name a data folder elsewhere, for example /var/lib/codeteam",
        blocked.display()
    )]
    OutOfReach { user: String, blocked: PathBuf },
    #[error("{} belongs to user {owner}: run as that user, or name another folder", path.display())]
    Foreign { path: PathBuf, owner: String },
    #[error("{} already holds other things: name a new or an empty folder", path.display())]
    NotEmpty { path: PathBuf },
    /// `pid` is the server, or the process that is just starting or stopping it.
    #[error("{} is in use by process {pid}: stop it, or name another folder", path.display())]
    InUse { path: PathBuf, pid: i32 },
    #[error(
        "the data in {} was written by PostgreSQL {written_by} and only PostgreSQL {installed} is installed: install \
         version {written_by} beside it, or name a new folder",
        path.display()
    )]
    OtherMajor { path: PathBuf, written_by: u32, installed: u32 },
    #[error(
        "PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as: \
         create one with `useradd --system postgres`"
    )]
    NoUser,
    #[error("the socket folder {} {why}: remove it", path.display())]
    SocketFolder { path: PathBuf, why: &'static str },
    #[error("cannot run {} as user {user}: check that this user may execute it", program.display())]
    Spawn { program: PathBuf, user: String, source: io::Error },
    #[error("no data folder could be made; initdb said:\n{output}")]
    Initdb { output: String },
    #[error("the server ended while starting ({status}); the end of {}:\n{output}", log.display())]
    Ended { status: String, log: PathBuf, output: String },
    #[error(
        "the server was not ready after {} s and was stopped: start it again, recovery goes on where it was; the end of {}:\n{output}",
        waited.as_secs(),
        log.display()
    )]
    NotReady { waited: Duration, log: PathBuf, output: String },
    #[error("process {pid} survived SIGKILL: look at it with `ps -o stat,wchan -p {pid}`")]
    NotStopped { pid: u32 },
    #[error("the thread that owns the server is gone: start a new one")]
    OwnerGone,
    #[error("no thread could be started to own the server: raise the limit on threads")]
    Thread(#[source] io::Error),
}
