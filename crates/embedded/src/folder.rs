//! The data folder: who may use it, whether somebody does, and which PostgreSQL wrote it.
//!
//! ```text
//! dir/lock            held by the owner while the server runs
//! dir/data/           PostgreSQL's own; made as data.new and renamed, so it is whole or not there
//! dir/socket/         mode 0700, while the server runs (or a short folder elsewhere)
//! dir/postgres.log
//! ```

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::account::{Account, name_of};
use crate::lock::{Attempt, Lock};
use crate::process::pause;
use crate::{Binaries, EmbeddedError, find, pidfile, socket};

/// How long the server of an owner that was just killed may take to follow it.
const ORPHAN_LEAVES_WITHIN: Duration = Duration::from_secs(5);

/// A folder that is ours alone, for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Folder {
    pub dir: PathBuf,
    pub account: Account,
    _lock: Lock,
}

impl Folder {
    /// Takes the folder, made when it is not there.
    pub fn take(dir: &Path) -> Result<Folder, EmbeddedError> {
        let data = dir.join("data");
        let account = Account::choose(&data)?;
        let failed = |doing| {
            let (path, user) = (dir.to_owned(), name_of(nix::unistd::geteuid().as_raw()));
            move |source| EmbeddedError::Folder { doing, path, user, source }
        };
        fs::create_dir_all(dir).map_err(failed("make"))?;
        let dir = fs::canonicalize(dir).map_err(failed("look at"))?;
        let data = dir.join("data");
        match fs::symlink_metadata(&data) {
            Ok(found) if found.uid() != account.uid => {
                return Err(EmbeddedError::Foreign { path: data, owner: name_of(found.uid()) });
            }
            Ok(_) if !is_empty_or_data(&data).map_err(failed("read the data in"))? => {
                return Err(EmbeddedError::NotEmpty { path: data });
            }
            _ => {}
        }
        let lock = match Lock::take(&dir.join("lock")).map_err(failed("write to"))? {
            Attempt::Held(lock) => lock,
            Attempt::Taken { pid } => {
                let pid = pidfile::live_server(&data).or(pid).unwrap_or_default();
                return Err(EmbeddedError::InUse { path: dir, pid });
            }
        };
        account.own(&dir.join("lock")).map_err(failed("hand over the lock in"))?;
        account.let_in(&dir).map_err(failed("open"))?;
        account.check_reach(&dir)?;
        let folder = Folder { dir, account, _lock: lock };
        folder.wait_for_orphan()?;
        Ok(folder)
    }

    pub fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    pub fn log(&self) -> PathBuf {
        self.dir.join("postgres.log")
    }

    /// The installed server that can read the data, or the best one where there is no data yet.
    pub fn binaries(&self) -> Result<Binaries, EmbeddedError> {
        let best = find::find()?;
        match self.written_by() {
            Some(major) if major != best.major => find::find_major(major).ok_or_else(|| {
                EmbeddedError::OtherMajor { path: self.data(), written_by: major, installed: best.major }
            }),
            _ => Ok(best),
        }
    }

    /// Whether there is data.
    pub fn has_data(&self) -> bool {
        self.written_by().is_some()
    }

    /// Removes what a dead server left, and makes the folder for the next one's socket.
    pub fn make_ready(&self) -> Result<PathBuf, EmbeddedError> {
        pidfile::disown(&self.data()).map_err(self.failed("clear"))?;
        socket::prepare(&self.dir, &self.account)
    }

    /// An error about this folder.
    pub fn failed(&self, doing: &'static str) -> impl Fn(io::Error) -> EmbeddedError {
        let (path, user) = (self.dir.clone(), name_of(nix::unistd::geteuid().as_raw()));
        move |source| EmbeddedError::Folder { doing, path: path.clone(), user: user.clone(), source }
    }

    fn written_by(&self) -> Option<u32> {
        let version = fs::read_to_string(self.data().join("PG_VERSION")).ok()?;
        version.trim().split('.').next()?.parse().ok()
    }

    /// The lock is ours, so a server that is still there lost its owner, and the kernel has told it to stop.
    fn wait_for_orphan(&self) -> Result<(), EmbeddedError> {
        let (data, start) = (self.data(), Instant::now());
        let Some(pid) = pidfile::live_server(&data) else { return Ok(()) };
        while pidfile::serves(pid, &data) {
            if start.elapsed() > ORPHAN_LEAVES_WITHIN {
                return Err(EmbeddedError::InUse { path: self.dir.clone(), pid });
            }
            pause(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// Whether PostgreSQL made this folder, or may.
fn is_empty_or_data(data: &Path) -> io::Result<bool> {
    Ok(data.join("PG_VERSION").try_exists()? || fs::read_dir(data)?.next().is_none())
}
