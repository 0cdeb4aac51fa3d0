//! The files of a checkout, as the model's tools reach them: through a folder that no link leads out of.
//!
//! This process can read what commands cannot, so nothing outside may be opened here on a model's word: no absolute path, no
//! `..`, no link that leads out, and of what is inside no pipe, no device and nothing of git's own.

use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use agent::WorkspaceError;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use nix::fcntl::OFlag;

/// Bytes of a file that a tool reads. More is no source code, and no model reads it.
const FILE_BYTES: u64 = 4_000_000;

/// A folder that is read and written below.
pub struct Files {
    root: PathBuf,
}

impl Files {
    pub fn below(root: &Path) -> Files {
        Files { root: root.to_owned() }
    }

    fn dir(&self) -> Result<Dir, WorkspaceError> {
        Dir::open_ambient_dir(&self.root, ambient_authority())
            .map_err(|error| WorkspaceError::Broken { message: service::exit::one_line(&error) })
    }

    /// The bytes of a file.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, WorkspaceError> {
        inside(path)?;
        // The open of a pipe would wait for its other end.
        let mut options = OpenOptions::new();
        options.read(true).custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits());
        let dir = self.dir()?;
        leads_inside(&dir, path)?;
        let file = dir.open_with(path, &options).map_err(|error| file_error(path, &error))?;
        let found = file.metadata().map_err(|error| file_error(path, &error))?;
        if !found.is_file() {
            return Err(refused(path, "is not a file"));
        }
        if found.len() > FILE_BYTES {
            return Err(refused(path, "is too large: look at parts of it with a command"));
        }
        let mut bytes = Vec::new();
        file.take(FILE_BYTES).read_to_end(&mut bytes).map_err(|error| file_error(path, &error))?;
        Ok(bytes)
    }

    /// Replaces or makes a file and the folders that it needs. Gives the first of all that is new, if something is.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<Option<PathBuf>, WorkspaceError> {
        inside(path)?;
        let dir = self.dir()?;
        leads_inside(&dir, path)?;
        // A pipe would be waited for, too.
        if dir.metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(refused(path, "is not a file"));
        }
        let parent = Path::new(path).parent().filter(|parent| !parent.as_os_str().is_empty());
        let fresh = Path::new(path)
            .ancestors()
            .filter(|part| !part.as_os_str().is_empty() && !dir.exists(part))
            .last()
            .map(Path::to_owned);
        if let Some(parent) = parent {
            dir.create_dir_all(parent).map_err(|error| file_error(path, &error))?;
        }
        dir.write(path, bytes).map_err(|error| file_error(path, &error))?;
        Ok(fresh)
    }
}

/// The same of where the path's links lead, as far as it exists. A link to what is not there could make it there.
fn leads_inside(dir: &Dir, path: &str) -> Result<(), WorkspaceError> {
    for part in Path::new(path).ancestors().filter(|part| !part.as_os_str().is_empty()) {
        match dir.canonicalize(part) {
            Ok(real) => return no_gits(path, &real),
            Err(_) if dir.symlink_metadata(part).is_ok_and(|found| found.is_symlink()) => {
                return Err(refused(
                    path,
                    "cannot be used: a link in it leads nowhere, or out of the repository",
                ));
            }
            Err(_) => {}
        }
    }
    Ok(())
}

/// Nothing of git's own is anybody's business: what stands in its folder decides what git runs.
fn inside(path: &str) -> Result<(), WorkspaceError> {
    no_gits(path, Path::new(path))
}

/// `path` is what the model calls it, `real` where it leads.
fn no_gits(path: &str, real: &Path) -> Result<(), WorkspaceError> {
    let is_gits = |part: Component<'_>| part.as_os_str().eq_ignore_ascii_case(".git");
    if real.components().any(is_gits) {
        return Err(refused(path, "belongs to git: only the repository's files can be used"));
    }
    Ok(())
}

fn refused(path: &str, why: &str) -> WorkspaceError {
    WorkspaceError::Refused { message: format!("{path} {why}") }
}

/// What is wrong with the path is the model's to mend.
fn file_error(path: &str, error: &io::Error) -> WorkspaceError {
    match error.kind() {
        io::ErrorKind::NotFound => WorkspaceError::NotFound { path: path.to_owned() },
        _ => refused(path, &format!("cannot be used: {error}")),
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
