//! The program's secrets, read once from a file that nobody else can read. Never from environment variables, never
//! in logs or error texts.

mod error;
mod file;
mod name;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

pub use error::SecretsError;
pub use name::Name;

/// The secrets that a file holds. Each value is wiped from memory when this is dropped.
#[derive(Clone)]
pub struct Secrets {
    path: PathBuf,
    values: BTreeMap<Name, SecretString>,
}

impl Secrets {
    /// Reads the secrets that the setting `SECRETS` names: `file:PATH`, one JSON object of strings.
    ///
    /// The file must be a regular one, of the user who runs this (root may read anybody's), with no permissions for
    /// group and others, and at most 1 MB. An empty value counts as absent.
    pub fn open(source: &str) -> Result<Secrets, SecretsError> {
        match source.split_once(':') {
            Some(("file", path)) if !path.is_empty() => {
                Ok(Secrets { values: file::read(Path::new(path))?, path: path.into() })
            }
            Some(("aws", prefix)) if !prefix.is_empty() => {
                Err(SecretsError::AwsNotRead { prefix: prefix.into() })
            }
            // What was given is not repeated: it may be a secret in the wrong place.
            _ => Err(SecretsError::UnknownSource),
        }
    }

    /// The secret, or None where the file does not have it.
    pub fn get(&self, name: Name) -> Option<&SecretString> {
        self.values.get(&name)
    }

    /// The secret, or an error that says where to put it.
    pub fn require(&self, name: Name) -> Result<&SecretString, SecretsError> {
        self.get(name).ok_or_else(|| SecretsError::Missing { name, path: self.path.clone() })
    }

    /// All secrets that there are.
    pub fn iter(&self) -> impl Iterator<Item = (Name, &SecretString)> {
        self.values.iter().map(|(&name, secret)| (name, secret))
    }

    /// Writes a file that [`Secrets::open`] reads, with mode 0600 from its first byte on, whole or not at all. A
    /// file that is there is replaced. Blocks for a sync of the disk.
    pub fn write<'a>(
        path: &Path,
        secrets: impl IntoIterator<Item = (Name, &'a SecretString)>,
    ) -> Result<(), SecretsError> {
        file::write(path, secrets)
    }
}

impl fmt::Debug for Secrets {
    /// Names only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("path", &self.path).field("names", &self.values.keys()).finish()
    }
}
