//! What can be wrong with a corpus. Each message says what to do.

use std::path::PathBuf;

use rehearsal::ScriptError;

/// Why there are no cases, or why one cannot be set up.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the messages are the documentation
pub enum CorpusError {
    #[error("cannot read {}: give a folder that has a folder with a case.json for each case", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the case {case} is not one: {source}; docs/eval.md says what a case.json holds")]
    Form { case: String, source: serde_json::Error },
    #[error("the case {case} cannot be judged: {what}")]
    Unjudgeable { case: String, what: &'static str },
    #[error("the rehearsal of the case {case} cannot be played: {source}")]
    Rehearsal { case: String, source: ScriptError },
    #[error("{}: there is no case in it; give a folder that has a folder with a case.json for each case", path.display())]
    Empty { path: PathBuf },
    #[error("there is no case {name:?}: use one of {known}")]
    Unknown { name: String, known: String },
    #[error("cannot write the repository of a case to {}: check that there is room and that this user may", path.display())]
    Unwritable { path: PathBuf, source: std::io::Error },
    #[error("git cannot be started: install git 2.32 or newer")]
    NoGit(#[source] std::io::Error),
    #[error("git {what} failed for a new repository: {said}; install git 2.32 or newer")]
    Git { what: String, said: String },
}

impl CorpusError {
    /// Whether it is about what was asked for, not about this machine.
    pub fn is_usage(&self) -> bool {
        !matches!(self, CorpusError::Unwritable { .. } | CorpusError::NoGit(_) | CorpusError::Git { .. })
    }
}
