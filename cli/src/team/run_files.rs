//! The runtime secrets: one file per program, with its own role's login and no more than it needs.

use std::path::{Path, PathBuf};

use service::{Name, SecretString, Secrets, SecretsError};

use crate::error::CliError;
use crate::home::Home;

/// The files of a running team. Dropping it removes them.
#[derive(Debug)]
pub struct RunFiles {
    folder: PathBuf,
}

impl RunFiles {
    /// Removes what a killed command left, and stands for what is to be written.
    pub fn fresh(home: &Home) -> RunFiles {
        let files = RunFiles { folder: home.run() };
        files.remove();
        files
    }

    /// Writes the file of `program`: where it logs in, and what else it may know.
    pub fn write(
        &self,
        program: &str,
        database_url: &str,
        more: &[(Name, SecretString)],
    ) -> Result<PathBuf, CliError> {
        let path = self.folder.join(format!("{program}.json"));
        let url = SecretString::from(database_url);
        let more = more.iter().map(|(name, secret)| (*name, secret));
        Secrets::write(&path, std::iter::once((Name::DatabaseUrl, &url)).chain(more))?;
        Ok(path)
    }

    /// Removes the files.
    pub fn remove(&self) {
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if let Err(error) = std::fs::remove_file(entry.path()) {
                tracing::warn!(%error, path = %entry.path().display(), "a secrets file could not be removed");
            }
        }
    }
}

impl Drop for RunFiles {
    fn drop(&mut self) {
        self.remove();
    }
}

/// The secrets of `program` on this home, while a team runs there.
pub fn read(home: &Home, program: &str) -> Result<Option<Secrets>, CliError> {
    let path = home.run().join(format!("{program}.json"));
    match Secrets::open(&source(&path)) {
        Ok(secrets) => Ok(Some(secrets)),
        Err(SecretsError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// `path` as the setting SECRETS writes it.
pub fn source(path: &Path) -> String {
    format!("file:{}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::ExposeSecret;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn each_program_has_its_own_login_and_nothing_stays() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::choose(Some(dir.path())).unwrap();
        home.make().unwrap();
        let files = RunFiles::fresh(&home);
        let keys = [(Name::AnthropicApiKey, SecretString::from("k"))];
        let path = files.write("worker", "postgres://w@/x", &keys).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let worker = read(&home, "worker").unwrap().unwrap();
        assert_eq!(worker.get(Name::DatabaseUrl).unwrap().expose_secret(), "postgres://w@/x");
        assert_eq!(worker.get(Name::AnthropicApiKey).unwrap().expose_secret(), "k");
        drop(files);
        assert_eq!(std::fs::read_dir(home.run()).unwrap().count(), 0);
        assert!(read(&home, "worker").unwrap().is_none());
    }
}
