//! Which kind of [`Failure`] each error of the worker's crates is. How a kind is retried stands in one table, in `domain`.
//!
//! Every match names every variant: a new error does not compile before somebody has said what it is.

use domain::Failure;
use forge::ForgeError;
use forge::github::GitHubError;
use sandbox::SandboxError;

/// An error of fetching, comparing or applying code.
pub fn of_forge(error: &ForgeError) -> Failure {
    match error {
        ForgeError::Unreachable { .. } => Failure::RepositoryUnreachable,
        ForgeError::TimedOut { .. } => Failure::RepositorySlow,
        ForgeError::Disk { .. } => Failure::DiskFailed,
        ForgeError::Git { .. } => Failure::GitFailed,
        ForgeError::GitMissing | ForgeError::GitTooOld { .. } => Failure::GitUnusable,
        ForgeError::NotFound { .. }
        | ForgeError::NotARepository { .. }
        | ForgeError::NotAnAddress { .. }
        | ForgeError::Unreadable { .. }
        | ForgeError::NoCommit { .. }
        | ForgeError::NeedsCredentials { .. }
        | ForgeError::UnknownHost { .. }
        | ForgeError::BaseNotFound { .. }
        | ForgeError::NothingInCommon { .. }
        | ForgeError::Corrupt { .. } => Failure::RepositoryRefused,
        ForgeError::PatchDoesNotApply { .. }
        | ForgeError::DiffTooLarge { .. }
        | ForgeError::BranchTaken { .. }
        | ForgeError::PushRefused { .. } => Failure::DeliveryRefused,
        ForgeError::GitHub(error) => of_github(error),
    }
}

fn of_github(error: &GitHubError) -> Failure {
    match error {
        GitHubError::Unavailable { .. } => Failure::RepositoryUnreachable,
        GitHubError::TimedOut { .. } => Failure::RepositorySlow,
        GitHubError::Throttled { .. } => Failure::ForgeThrottled,
        GitHubError::ApiUrl { .. }
        | GitHubError::AppId { .. }
        | GitHubError::Key
        | GitHubError::Client(_)
        | GitHubError::KeyRefused { .. }
        | GitHubError::NotInstalled { .. }
        | GitHubError::Suspended { .. }
        | GitHubError::Archived { .. }
        | GitHubError::Forbidden { .. }
        | GitHubError::NoPull { .. }
        | GitHubError::Refused { .. }
        | GitHubError::Unreadable { .. } => Failure::ForgeRefused,
    }
}

/// An error of running a command that nobody trusts.
pub fn of_sandbox(error: &SandboxError) -> Failure {
    match error {
        SandboxError::Silent { .. }
        | SandboxError::Setup { .. }
        | SandboxError::Outlived
        | SandboxError::Io { .. } => Failure::SandboxBroke,
        SandboxError::Launcher { .. }
        | SandboxError::Leaks { .. }
        | SandboxError::Offline { .. }
        | SandboxError::Refused { .. }
        | SandboxError::Settings { .. } => Failure::SandboxUnusable,
        SandboxError::Command { .. } => Failure::CommandRefused,
        SandboxError::Workspace { .. } => Failure::WorkspaceFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Retry;

    /// The command line asks the forge the same question, to tell the user's fault from the system's.
    #[test]
    fn what_the_forge_calls_permanent_is_never_retried() {
        let (repo, detail, what) = (String::new, String::new, String::new);
        let disk = || std::io::Error::other("full");
        let errors = [
            ForgeError::Unreachable { repo: repo(), detail: detail() },
            ForgeError::Disk { what: what(), source: disk() },
            ForgeError::Git { what: what(), detail: detail() },
            ForgeError::NotFound { repo: repo() },
            ForgeError::NeedsCredentials { repo: repo(), detail: detail() },
            ForgeError::GitMissing,
            ForgeError::BranchTaken { repo: repo(), branch: String::new() },
            GitHubError::NotInstalled { repo: repo() }.into(),
            GitHubError::Throttled { detail: detail(), wait: None }.into(),
            ForgeError::PatchDoesNotApply { commit: String::new(), detail: detail() },
        ];
        for error in errors {
            let never = of_forge(&error).retry() == Retry::Never;
            assert_eq!(never, error.is_permanent(), "{error}");
        }
    }
}
