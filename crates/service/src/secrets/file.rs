//! Reading and writing the file. It is checked after it is opened, so that what is checked is what is read.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::libc::O_NONBLOCK;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{Name, SecretsError};

/// Bytes. Five secrets need a few thousand.
const LONGEST: u64 = 1 << 20;
/// Characters of an unknown name that are shown: it may be a value in a name's place.
const SHOWN: usize = 40;

pub(super) fn read(path: &Path) -> Result<BTreeMap<Name, SecretString>, SecretsError> {
    let file = open(path)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed("read", path))?;
    if bytes.len() as u64 > LONGEST {
        return Err(SecretsError::TooLong { path: path.into(), limit: LONGEST });
    }
    // serde's own messages quote what they found, so only the position is taken from them.
    let Entries(entries) = serde_json::from_slice(&bytes).map_err(|error| SecretsError::Malformed {
        path: path.into(),
        line: error.line(),
        column: error.column(),
    })?;
    let mut values = BTreeMap::new();
    for (key, value) in entries {
        let Some(name) = Name::read(&key) else {
            let name = key.chars().take(SHOWN).collect();
            return Err(SecretsError::UnknownName { name, known: Name::list(), path: path.into() });
        };
        let Value::String(text) = value else {
            return Err(SecretsError::NotText { name, path: path.into() });
        };
        if values.insert(name, SecretString::from(text)).is_some() {
            return Err(SecretsError::Twice { name, path: path.into() });
        }
    }
    values.retain(|_, value| !value.expose_secret().trim().is_empty());
    Ok(values)
}

/// Opens the file if nobody else could have read or written it. A symlink is followed: container platforms mount
/// secrets as such.
fn open(path: &Path) -> Result<File, SecretsError> {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    let file = match OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SecretsError::NotFound { path: path.into() });
        }
        Err(error) => {
            // The usual reason for a refusal is another owner: say so instead.
            path.metadata().map_or(Ok(()), |found| check_owner(path, &found))?;
            return Err(failed("opened", path)(error));
        }
    };
    let found = file.metadata().map_err(failed("looked at", path))?;
    if !found.is_file() {
        return Err(SecretsError::NotAFile { path: path.into() });
    }
    check_owner(path, &found)?;
    let mode = found.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretsError::OpenToOthers { path: path.into(), mode });
    }
    Ok(file)
}

fn check_owner(path: &Path, found: &Metadata) -> Result<(), SecretsError> {
    let (reader, owner) = (nix::unistd::geteuid().as_raw(), found.uid());
    // Root trusts whoever it lets own files here; a mounted file keeps the owner that it has outside the container.
    if reader == 0 || reader == owner {
        return Ok(());
    }
    Err(SecretsError::Foreign { path: path.into(), owner, reader })
}

pub(super) fn write<'a>(
    path: &Path,
    secrets: impl IntoIterator<Item = (Name, &'a SecretString)>,
) -> Result<(), SecretsError> {
    let object: BTreeMap<&str, &str> =
        secrets.into_iter().map(|(name, secret)| (name.as_str(), secret.expose_secret())).collect();
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = || -> io::Result<()> {
        let mut json = Zeroizing::new(serde_json::to_vec_pretty(&object)?);
        json.push(b'\n');
        let mut file = tempfile::Builder::new()
            .prefix(".secrets-")
            .permissions(std::fs::Permissions::from_mode(0o600))
            .tempfile_in(dir)?;
        file.write_all(&json)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        // Without it, a crash of the machine may undo the rename.
        File::open(dir)?.sync_all()
    };
    written().map_err(failed("written", path))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SecretsError {
    move |source| SecretsError::Io { doing, path: path.into(), source }
}

/// A JSON object as it is written: a map would silently keep the last of two equal names.
struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
