//! Makes a new data folder, whole or not at all.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::folder::Folder;
use crate::handle::Shared;
use crate::process;
use crate::{Binaries, EmbeddedError, log};

/// Half a second is usual; a slow disk under load takes minutes to sync.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs `initdb` for `folder`. Its superuser is `postgres`, its encoding UTF-8, its locale C: the same order and
/// the same messages on every system.
pub(crate) fn run(
    folder: &Folder,
    binaries: &Binaries,
    durable: bool,
    shared: &Shared,
) -> Result<(), EmbeddedError> {
    let fresh = folder.dir.join("data.new");
    match fs::remove_dir_all(&fresh) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(folder.failed("clear")(error));
        }
        _ => {}
    }
    DirBuilder::new().mode(0o700).create(&fresh).map_err(folder.failed("write to"))?;
    folder.account.own(&fresh).map_err(folder.failed("hand over the data in"))?;

    let output = log::open(&folder.log()).map_err(folder.failed("write the log in"))?;
    let from = output.metadata().map(|log| log.len()).map_err(folder.failed("read the log in"))?;
    let program = binaries.program("initdb");
    let mut command = process::command(&program, &folder.account, &folder.dir, output)
        .map_err(folder.failed("write the log in"))?;
    command.arg("-D").arg(&fresh).args([
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-instructions",
    ]);
    if !durable {
        command.arg("--no-sync");
    }
    let mut child = command.spawn().map_err(|source| EmbeddedError::Spawn {
        program,
        user: folder.account.name(),
        source,
    })?;

    let start = Instant::now();
    let made = loop {
        if let Some(status) = process::wait(&mut child, Duration::from_millis(50)) {
            break status.success();
        }
        if shared.abandoned.load(Ordering::Relaxed) || start.elapsed() > LIMIT {
            process::halt(&mut child, crate::Shutdown::Fast, process::Patience::SHORT)?;
            break false;
        }
    };
    if made {
        return fs::rename(&fresh, folder.data()).map_err(folder.failed("write to"));
    }
    let output = log::tail(&folder.log(), from);
    if let Err(error) = fs::remove_dir_all(&fresh) {
        tracing::debug!(%error, path = %fresh.display(), "the next start clears what initdb left");
    }
    Err(EmbeddedError::Initdb { output })
}
