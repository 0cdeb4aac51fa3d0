//! Where things are: the one folder that holds a team's database, its runtime secrets, its workers' scratch and its log.
//!
//! ```text
//! HOME/lock          held by the command that runs the team; names its process and the command
//! HOME/postgres/     the embedded database
//! HOME/run/*.json    secrets of the running programs, mode 0600; gone when none runs
//! HOME/work          the workers' scratch
//! HOME/up.log        what the programs say
//! ```

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::CliError;

/// A team's folder. Its path is a full one; the folder need not be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// The folder that `--home` names, or else the default: `/var/lib/codeteam` for root, a folder in the user's data otherwise.
    pub fn choose(given: Option<&Path>) -> Result<Home, CliError> {
        let is_root = nix::unistd::geteuid().is_root();
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let path = match given.filter(|path| !path.as_os_str().is_empty()) {
            Some(given) => given.to_owned(),
            None => default(is_root, variable("XDG_DATA_HOME"), variable("HOME")).ok_or(CliError::NoHome)?,
        };
        let full = std::path::absolute(&path).map_err(CliError::folder("find", &path))?;
        // SECRETS must be text.
        match full.to_str() {
            Some(_) => Ok(Home(full)),
            None => Err(CliError::Usage(format!(
                "the folder {} is not UTF-8: name another with --home",
                full.display()
            ))),
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folders, private to this user where they are new.
    pub fn make(&self) -> Result<(), CliError> {
        for folder in [self.0.clone(), self.run(), self.work()] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(CliError::folder("make", folder))?;
        }
        self.let_server_through().map_err(CliError::folder("open", &self.0))
    }

    /// Root's database server runs as somebody else, who must be able to pass through this folder to its own. What lies
    /// in it stays closed. A folder that holds other things than a team's is left as it is.
    fn let_server_through(&self) -> std::io::Result<()> {
        let found = fs::metadata(&self.0)?;
        let mode = found.permissions().mode();
        let root = nix::unistd::geteuid().is_root() && found.uid() == 0;
        if !root || mode & 0o001 != 0 || !fs::read_dir(&self.0)?.all(|entry| entry.is_ok_and(is_of_a_team)) {
            return Ok(());
        }
        fs::set_permissions(&self.0, fs::Permissions::from_mode(mode | 0o011))
    }

    /// The embedded database's folder.
    pub fn postgres(&self) -> PathBuf {
        self.0.join("postgres")
    }

    /// Whether the embedded database was ever made.
    pub fn has_database(&self) -> bool {
        fs::exists(self.postgres().join("data")).unwrap_or(false)
    }

    /// The folder of the runtime secrets.
    pub fn run(&self) -> PathBuf {
        self.0.join("run")
    }

    /// The workers' scratch.
    pub fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    /// The programs' log.
    pub fn log(&self) -> PathBuf {
        self.0.join("up.log")
    }

    /// The lock file.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }
}

fn is_of_a_team(entry: fs::DirEntry) -> bool {
    let name = entry.file_name();
    ["lock", "postgres", "run", "work", "up.log"].iter().any(|known| name == *known)
}

fn default(is_root: bool, data: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    if is_root {
        return Some(PathBuf::from("/var/lib/codeteam"));
    }
    // The specification says that a relative path here is to be ignored.
    let data = data.filter(|path| path.is_absolute());
    data.or_else(|| Some(home?.join(".local/share"))).map(|data| data.join("codeteam"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_lives_where_the_system_keeps_such_things() {
        let (data, home) = (Some(PathBuf::from("/d")), Some(PathBuf::from("/h")));
        assert_eq!(default(true, data.clone(), home.clone()), Some("/var/lib/codeteam".into()));
        assert_eq!(default(false, data, home.clone()), Some("/d/codeteam".into()));
        assert_eq!(default(false, Some("relative".into()), home), Some("/h/.local/share/codeteam".into()));
        assert_eq!(default(false, None, None), None);
    }
}
