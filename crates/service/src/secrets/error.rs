//! Why there are no secrets. No message holds anything of a file's content but names of keys.

use std::io;
use std::path::PathBuf;

use super::Name;

/// What is wrong, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the messages are the documentation of the variants and their fields
pub enum SecretsError {
    #[error(
        "the setting SECRETS is neither file:PATH nor aws:PREFIX: write for example SECRETS=file:/etc/codeteam/secrets.json"
    )]
    UnknownSource,
    #[error("the secrets aws:{prefix} cannot be read: {why}")]
    Aws { prefix: String, why: String },
    #[error("{prefix}/{name} in AWS Secrets Manager is not a text: store it as a secret string")]
    Binary { name: Name, prefix: String },
    #[error("{name} is not among the secrets: store it as {prefix}/{name} in AWS Secrets Manager")]
    NotStored { name: Name, prefix: String },
    #[error(
        "{prefix}/{name} cannot be read from AWS Secrets Manager ({why}): allow this program's role secretsmanager:GetSecretValue on it, \
         and kms:Decrypt on its key"
    )]
    NotAllowed { name: Name, prefix: String, why: String },
    #[error(
        "there is no secrets file {}: create it with mode 0600 as one JSON object, for example {{\"DATABASE_URL\": \"...\"}}",
        path.display()
    )]
    NotFound { path: PathBuf },
    #[error("the secrets file {} cannot be {doing}: check that this user may", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("the secrets {} are not a regular file: name one", path.display())]
    NotAFile { path: PathBuf },
    #[error("the secrets file {} is open to others (mode {mode:04o}): run `chmod 600 {}`", path.display(), path.display())]
    OpenToOthers { path: PathBuf, mode: u32 },
    #[error("the secrets file {} belongs to user id {owner}: give it to user id {reader}, who reads it", path.display())]
    Foreign { path: PathBuf, owner: u32, reader: u32 },
    #[error("the secrets file {} has more than {limit} bytes: keep nothing but secrets in it", path.display())]
    TooLong { path: PathBuf, limit: u64 },
    #[error(
        "the secrets file {} is not one JSON object: look at line {line}, column {column} (line breaks inside a value are written \\n)",
        path.display()
    )]
    Malformed { path: PathBuf, line: usize, column: usize },
    #[error("{name} in the secrets file {} is not a string: put its value in quotes", path.display())]
    NotText { name: Name, path: PathBuf },
    #[error("the secrets file {} names {name} twice: remove one of them", path.display())]
    Twice { name: Name, path: PathBuf },
    #[error("the secrets file {} holds an unknown name {name:?}: known are {known}", path.display())]
    UnknownName { name: String, known: String, path: PathBuf },
    #[error("{name} is not among the secrets: add \"{name}\": \"...\" to the JSON object in {}", path.display())]
    Missing { name: Name, path: PathBuf },
}
