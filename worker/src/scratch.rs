//! Folders for checkouts. Others may pass through them, because commands run as another user, but not look around.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Makes the folder in which each attempt gets one of its own.
pub fn work_dir(wanted: Option<&Path>) -> anyhow::Result<PathBuf> {
    let path = match wanted {
        Some(path) => std::path::absolute(path)?,
        None => std::env::temp_dir().join(format!("codeteam-worker-{}", std::process::id())),
    };
    DirBuilder::new().recursive(true).mode(0o711).create(&path).with_context(|| {
        format!("the work folder {} cannot be made: set WORK_DIR to another", path.display())
    })?;
    // What git and the sandbox call it: a link on the way would lead commands out of the workspace.
    path.canonicalize().with_context(|| format!("the work folder {} cannot be read", path.display()))
}

/// One attempt's folder. It goes with the value.
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub fn new(work_dir: &Path) -> io::Result<Scratch> {
        let path = work_dir.join(uuid::Uuid::new_v4().simple().to_string());
        DirBuilder::new().recursive(true).mode(0o711).create(&path)?;
        Ok(Scratch { path })
    }

    /// A path inside that does not exist yet.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "a work folder stays behind");
        }
    }
}

/// Commands may have left folders that their owner cannot enter.
fn remove(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let mut folders = vec![path.to_owned()];
            while let Some(folder) = folders.pop() {
                std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))?;
                for entry in std::fs::read_dir(&folder)? {
                    let entry = entry?;
                    if entry.file_type()?.is_dir() {
                        folders.push(entry.path());
                    }
                }
            }
            std::fs::remove_dir_all(path)
        }
        other => other,
    }
}
