//! Folders for checkouts. Others may pass through them, because commands run as another user, but not look around.
//!
//! Several workers share one work folder, each with a folder of its own in it that it holds a lock on for as long as it
//! lives. A killed worker cannot clean up; the next that starts knows by the free lock that nobody uses what is there.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;

/// What the folder of a worker begins with; an id follows. Nothing else in the work folder is ever removed.
const OURS: &str = "worker-";

/// The folder in which each attempt of this worker gets one of its own. It goes with the value.
pub struct WorkDir {
    root: PathBuf,
    own: PathBuf,
    /// The kernel's, so that it goes with the process, however that ends.
    _lock: File,
    attempts: AtomicU64,
}

impl WorkDir {
    /// Makes it in `wanted`, or in the system's temporary folder, and has what killed workers left there removed
    /// meanwhile.
    pub fn open(wanted: Option<&Path>) -> anyhow::Result<WorkDir> {
        let work_dir = WorkDir::make(wanted)?;
        let shared = work_dir.root.clone();
        // It may be much, and a job may be waiting. If this process ends first, the next one goes on with it.
        std::thread::spawn(move || remove_abandoned(&shared));
        Ok(work_dir)
    }

    fn make(wanted: Option<&Path>) -> anyhow::Result<WorkDir> {
        let path = match wanted {
            Some(path) => std::path::absolute(path)?,
            None => std::env::temp_dir().join(format!("codeteam-worker-{}", std::process::id())),
        };
        let unusable =
            || format!("the work folder {} cannot be made: set WORK_DIR to another", path.display());
        DirBuilder::new().recursive(true).mode(0o711).create(&path).with_context(unusable)?;
        // What git and the sandbox call it: a link on the way would lead commands out of the workspace.
        let root = path
            .canonicalize()
            .with_context(|| format!("the work folder {} cannot be read", path.display()))?;
        let (own, lock) = own_folder(&root).with_context(unusable)?;
        Ok(WorkDir { root, own, _lock: lock, attempts: AtomicU64::new(0) })
    }

    /// The folder that all workers share.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        clear(&self.own);
    }
}

/// Makes a folder and locks it; gives both.
fn own_folder(root: &Path) -> io::Result<(PathBuf, File)> {
    loop {
        let own = root.join(format!("{OURS}{}", uuid::Uuid::new_v4().simple()));
        DirBuilder::new().mode(0o711).create(&own)?;
        let lock = File::open(&own)?;
        lock.lock()?;
        // Between the two, another worker may have taken it for abandoned.
        if std::fs::metadata(&own)
            .is_ok_and(|found| lock.metadata().is_ok_and(|own| own.ino() == found.ino()))
        {
            return Ok((own, lock));
        }
    }
}

/// Removes the folders of workers that are no more.
fn remove_abandoned(root: &Path) {
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix(OURS));
        let is_ours = id.is_some_and(|id| uuid::Uuid::try_parse(id).is_ok())
            && entry.file_type().is_ok_and(|kind| kind.is_dir());
        // Another user's cannot be opened, and is not ours to remove.
        if is_ours
            && let Ok(folder) = File::open(entry.path())
            && folder.try_lock().is_ok()
        {
            tracing::info!(path = %entry.path().display(), "removing what a killed worker left");
            clear(&entry.path());
        }
    }
}

/// One attempt's folder. It goes with the value.
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub fn new(work_dir: &WorkDir) -> io::Result<Scratch> {
        let path = work_dir.own.join(work_dir.attempts.fetch_add(1, Ordering::Relaxed).to_string());
        DirBuilder::new().mode(0o711).create(&path)?;
        Ok(Scratch { path })
    }

    /// A path inside that does not exist yet.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        clear(&self.path);
    }
}

fn clear(path: &Path) {
    if let Err(error) = remove(path) {
        tracing::warn!(%error, path = %path.display(), "a work folder stays behind");
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_worker_left_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let alive = WorkDir::make(Some(root)).unwrap();
        let at_work = Scratch::new(&alive).unwrap();
        let killed = root.join(format!("{OURS}{}", uuid::Uuid::new_v4().simple()));
        let locked = killed.join("0").join("workspace");
        std::fs::create_dir_all(locked.join("deep")).unwrap();
        std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
        for other in ["worker-notes", "projects"] {
            std::fs::create_dir(root.join(other)).unwrap();
        }
        std::os::unix::fs::symlink(root.join("projects"), root.join(format!("{OURS}{}", uuid::Uuid::nil())))
            .unwrap();
        remove_abandoned(root);
        let own = alive.own.file_name().unwrap().to_str().unwrap().to_owned();
        let mut left =
            vec![own, format!("{OURS}{}", uuid::Uuid::nil()), "projects".into(), "worker-notes".into()];
        left.sort();
        assert_eq!(names(root), left);
        assert!(at_work.path.is_dir());
        let own = alive.own.clone();
        drop((at_work, alive));
        assert!(!own.exists());
    }
}
