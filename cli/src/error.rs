//! Why a command could not do what it was asked, and the exit code that says so.

use std::path::PathBuf;

use corpus::CorpusError;
use domain::InvalidJob;
use embedded::EmbeddedError;
use forge::ForgeError;
use rehearsal::ScriptError;
use service::SecretsError;
use store::StoreError;

/// The exit code of a job that did not succeed.
pub const JOB_FAILED: u8 = 1;
/// The exit code of a command that was asked for the impossible.
pub const BAD_USAGE: u8 = 2;
/// The exit code of a system that could not do it.
pub const COULD_NOT: u8 = 3;

/// An error of the command line. Each message is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the messages are the documentation
pub enum CliError {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Job(#[from] InvalidJob),
    #[error(transparent)]
    Model(#[from] models::LookupError),
    #[error(transparent)]
    Script(#[from] ScriptError),
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    #[error(transparent)]
    Forge(#[from] ForgeError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    #[error(
        "there is no key for a model: write {} to {} and run `chmod 600` on it, or try without a key: `codeteam demo \
         --rehearsal`, `codeteam run --rehearsal SCRIPT.json`, or with OPENAI_BASE_URL set a model of your own, \
         `codeteam run --model openai_chat:NAME`",
        crate::keys::example(), path.display()
    )]
    NoKey { path: PathBuf },
    #[error(
        "the `codeteam up` that runs on {} was started without a key for a model: write {} to {} \
         (mode 0600) and start it again",
        home.display(), crate::keys::example(), path.display()
    )]
    UpHasNoKey { home: PathBuf, path: PathBuf },
    #[error("cannot {doing} {}: check that this user may, or name another folder with --home", path.display())]
    Folder { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error("neither --home, XDG_DATA_HOME nor HOME says where to keep data: name a folder with --home")]
    NoHome,
    #[error("{} is in use by `codeteam {command}` (process {pid}): stop it, or name another folder with --home", home.display())]
    InUse { home: PathBuf, command: String, pid: u32 },
    #[error("nothing has run on {} yet: submit a job with `codeteam submit` or `codeteam run`", home.display())]
    Nothing { home: PathBuf },
    #[error("the program {name} is not beside {}: build or install it there", folder.display())]
    NoProgram { name: &'static str, folder: PathBuf },
    #[error("no worker comes up: {detail}; the whole log is {}", log.display())]
    NoWorker { detail: String, log: PathBuf },
    #[error("cannot {doing}: check that there is room and that the port and the file limits allow it")]
    System { doing: &'static str, source: std::io::Error },
    #[error("{0}")]
    Unable(String),
    #[error("interrupted")]
    Interrupted,
}

impl CliError {
    /// The exit code that this error ends the program with.
    pub fn exit_code(&self) -> u8 {
        match self {
            CliError::Usage(_) | CliError::Job(_) | CliError::Model(_) | CliError::Script(_) => BAD_USAGE,
            CliError::Corpus(error) if error.is_usage() => BAD_USAGE,
            CliError::Forge(error) => match error {
                // These are about this machine, not about what was asked for.
                ForgeError::GitMissing | ForgeError::GitTooOld { .. } => COULD_NOT,
                error if error.is_permanent() => BAD_USAGE,
                _ => COULD_NOT,
            },
            CliError::Store(
                StoreError::UnknownJob(_) | StoreError::InvalidAfter(_) | StoreError::Invalid(_),
            ) => BAD_USAGE,
            CliError::Store(StoreError::WrongState(_) | StoreError::Duplicate(_)) => JOB_FAILED,
            CliError::Secrets(SecretsError::UnknownSource) => BAD_USAGE,
            CliError::Interrupted => 130,
            _ => COULD_NOT,
        }
    }

    /// For `map_err`: `doing` failed on `path`.
    pub fn folder(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> CliError {
        let path = path.into();
        move |source| CliError::Folder { doing, path, source }
    }

    /// For `map_err`: the machine refused `doing`.
    pub fn system(doing: &'static str) -> impl FnOnce(std::io::Error) -> CliError {
        move |source| CliError::System { doing, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_tell_the_users_fault_from_the_systems() {
        let base = ForgeError::BaseNotFound { repo: "/r".into(), base: "x".into(), known: vec![] };
        let cases: [(CliError, u8); 9] = [
            (CliError::Usage("x".into()), 2),
            (base.into(), 2),
            (ForgeError::GitMissing.into(), 3),
            (ForgeError::TimedOut { what: "fetch".into() }.into(), 3),
            (StoreError::UnknownJob("x".into()).into(), 2),
            (StoreError::InvalidAfter("x".into()).into(), 2),
            (StoreError::WrongState("x".into()).into(), 1),
            (EmbeddedError::NotInstalled.into(), 3),
            (CliError::NoKey { path: "/x".into() }, 3),
        ];
        for (error, code) in cases {
            assert_eq!(error.exit_code(), code, "{error}");
        }
    }

    #[test]
    fn a_missing_key_is_answered_with_where_to_write_one() {
        let message = CliError::NoKey { path: "/home/a/secrets.json".into() }.to_string();
        assert!(message.contains("/home/a/secrets.json") && message.contains("--rehearsal"), "{message}");
    }
}
