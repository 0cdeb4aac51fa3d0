//! The program's secrets, from AWS Secrets Manager or from a file that nobody else can read. Never from environment variables,
//! never in logs or error texts.

mod aws;
mod error;
mod file;
mod name;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

pub use error::SecretsError;
pub use name::Name;

/// The secrets that there are in one place. Each value is wiped from memory when this is dropped.
#[derive(Clone)]
pub struct Secrets {
    place: Place,
    values: BTreeMap<Name, SecretString>,
    /// Which could not be read though they are there, and why.
    refused: BTreeMap<Name, String>,
}

/// Where secrets are.
#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    Aws { prefix: String },
}

impl Secrets {
    /// Reads the secrets that the setting `SECRETS` names.
    ///
    /// - `file:PATH`, one JSON object of strings: a regular file of the user who runs this (root may read anybody's), with no
    ///   permissions for group and others, of at most 1 MB.
    /// - `aws:PREFIX`, of AWS Secrets Manager those named `PREFIX/NAME`, each a text; region and credentials as the AWS SDK finds them.
    ///   What the role may not read counts as absent. Blocks for the call, and for 20 s when AWS is out of reach.
    ///
    /// An empty value counts as absent.
    pub fn open(source: &str) -> Result<Secrets, SecretsError> {
        match source.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Secrets::read(Place::File(path.into())),
            Some(("aws", prefix)) if !prefix.trim_matches('/').is_empty() => {
                Secrets::read(Place::Aws { prefix: prefix.trim_end_matches('/').into() })
            }
            // What was given is not repeated: it may be a secret in the wrong place.
            _ => Err(SecretsError::UnknownSource),
        }
    }

    fn read(place: Place) -> Result<Secrets, SecretsError> {
        let (values, refused) = match &place {
            Place::File(path) => (file::read(path)?, BTreeMap::new()),
            Place::Aws { prefix } => {
                let found = aws::read(prefix)?;
                (found.values, found.refused)
            }
        };
        Ok(Secrets { place, values, refused })
    }

    /// Reads them anew from the same place: somebody may have put others there. Blocks as [`Secrets::open`] does.
    pub fn reopen(&self) -> Result<Secrets, SecretsError> {
        Secrets::read(self.place.clone())
    }

    /// The secret, or None where there is none.
    pub fn get(&self, name: Name) -> Option<&SecretString> {
        self.values.get(&name)
    }

    /// The secret, or an error that says where to put it.
    pub fn require(&self, name: Name) -> Result<&SecretString, SecretsError> {
        self.get(name).ok_or_else(|| match (&self.place, self.refused.get(&name)) {
            (Place::File(path), _) => SecretsError::Missing { name, path: path.clone() },
            (Place::Aws { prefix }, None) => SecretsError::NotStored { name, prefix: prefix.clone() },
            (Place::Aws { prefix }, Some(why)) => {
                SecretsError::NotAllowed { name, prefix: prefix.clone(), why: why.clone() }
            }
        })
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
        f.debug_struct("Secrets").field("place", &self.place).field("names", &self.values.keys()).finish()
    }
}
