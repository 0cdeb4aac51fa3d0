//! Why code could not be fetched, compared or applied: one sentence each, which says what to do.

use std::io;
use std::path::Path;

/// Bytes that a patch may have: more is nothing that a person reads or an event carries.
pub const DIFF_BYTES: u64 = 5_000_000;

/// Why the forge could not do what it was asked. No message holds a password that was written into a URL.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the messages are the fields' documentation
pub enum ForgeError {
    #[error("the repository {repo} was not found: check its path or URL, and that it may be read")]
    NotFound { repo: String },
    #[error(
        "{repo} is no git repository: name the folder that holds its .git, or run `git init` and commit there"
    )]
    NotARepository { repo: String },
    #[error(
        "{repo} is neither a full path nor a URL over https, http, ssh, git or file: write it as one of these"
    )]
    NotAnAddress { repo: String },
    #[error(
        "the repository {repo} cannot be read by this user: give it permission, or run as the owner ({detail})"
    )]
    Unreadable { repo: String, detail: String },
    #[error("the repository {repo} has no commit yet: commit something and push it, then submit again")]
    NoCommit { repo: String },
    #[error(
        "the repository {repo} wants credentials, and none that it takes were given: make it readable, or give a URL or a key that may read it ({detail})"
    )]
    NeedsCredentials { repo: String, detail: String },
    #[error(
        "the host of {repo} is not one that ssh knows: connect to it once by hand, or use https ({detail})"
    )]
    UnknownHost { repo: String, detail: String },
    #[error("there is no branch, tag or commit {base:?} in {repo}: {}", Known(known))]
    BaseNotFound { repo: String, base: String, known: Vec<String> },
    #[error(
        "{head:?} and {base:?} in {repo} have no commit in common: name as base what the changes were made from"
    )]
    NothingInCommon { repo: String, base: String, head: String },
    #[error("{repo} cannot be reached: check the address and the network, then try again ({detail})")]
    Unreachable { repo: String, detail: String },
    #[error("git did not {what} in time: try again, or allow more time")]
    TimedOut { what: String },
    #[error("the program git is missing: install git 2.32 or newer and put it on the PATH")]
    GitMissing,
    #[error("git is too old ({found}): install git 2.32 or newer")]
    GitTooOld { found: String },
    #[error(
        "the objects of {repo} do not pass git's check: run `git fsck` there and repair what it names ({detail})"
    )]
    Corrupt { repo: String, detail: String },
    #[error("the patch does not apply to {commit}: make it anew against this commit ({detail})")]
    PatchDoesNotApply { commit: String, detail: String },
    #[error(
        "the changes are too large ({files} files; a patch takes at most {limit_bytes} bytes): take out or ignore (.gitignore) the largest: {}",
        Largest(largest)
    )]
    DiffTooLarge {
        /// Changed files, as far as they were counted.
        files: usize,
        /// Bytes that a patch may have.
        limit_bytes: u64,
        /// The largest changed files and their bytes, largest first.
        largest: Vec<(String, u64)>,
    },
    #[error(
        "somebody else pushed to the branch {branch} of {repo}: it is left alone; rename or delete it there, then retry the job"
    )]
    BranchTaken { repo: String, branch: String },
    #[error("{repo} does not take the branch {branch}: {} ({detail})", remedy(detail))]
    PushRefused { repo: String, branch: String, detail: String },
    #[error(transparent)]
    GitHub(#[from] crate::github::GitHubError),
    #[error(
        "the disk failed ({what}): see that there is room and that the folder can be written, then try again"
    )]
    Disk { what: String, source: io::Error },
    #[error("git could not {what}: {detail}; read what it says, then try again")]
    Git { what: String, detail: String },
}

impl ForgeError {
    /// Whether the same call will fail again until a person changes something. False: a retry may help.
    pub fn is_permanent(&self) -> bool {
        match self {
            ForgeError::Unreachable { .. }
            | ForgeError::TimedOut { .. }
            | ForgeError::Disk { .. }
            | ForgeError::Git { .. } => false,
            ForgeError::NotFound { .. }
            | ForgeError::NotARepository { .. }
            | ForgeError::NotAnAddress { .. }
            | ForgeError::Unreadable { .. }
            | ForgeError::NoCommit { .. }
            | ForgeError::NeedsCredentials { .. }
            | ForgeError::UnknownHost { .. }
            | ForgeError::BaseNotFound { .. }
            | ForgeError::NothingInCommon { .. }
            | ForgeError::GitMissing
            | ForgeError::GitTooOld { .. }
            | ForgeError::Corrupt { .. }
            | ForgeError::PatchDoesNotApply { .. }
            | ForgeError::DiffTooLarge { .. }
            | ForgeError::BranchTaken { .. }
            | ForgeError::PushRefused { .. } => true,
            ForgeError::GitHub(error) => error.is_permanent(),
        }
    }

    /// For `map_err`: the disk failed while `what` was done to `path`.
    pub(crate) fn disk(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ForgeError {
        let what = format!("{what} {}", path.display());
        move |source| ForgeError::Disk { what, source }
    }
}

/// What a person can do about the commonest refusals of a push.
fn remedy(detail: &str) -> &'static str {
    let low = detail.to_ascii_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| low.contains(part));
    if says(&["archived"]) {
        "unarchive the repository, or ask for delivery patch"
    } else if says(&["workflow"]) {
        "the patch changes a workflow, so give the App the permission Workflows: read and write"
    } else if says(&["gh006", "gh013", "protected branch", "rule violation"]) {
        "exempt codeteam/* from the rules that protect branches there"
    } else if says(&["belongs to another user"]) {
        "run the worker as the folder's owner, or ask for delivery patch"
    } else {
        "see what it says against it"
    }
}

struct Known<'a>(&'a [String]);

impl std::fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            [] => f.write_str("name one that exists, a commit with all its digits"),
            known => write!(f, "name one that exists, such as {}", known.join(", ")),
        }
    }
}

struct Largest<'a>(&'a [(String, u64)]);

impl std::fmt::Display for Largest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (path, bytes)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{path} ({bytes} bytes)")?;
        }
        Ok(())
    }
}
