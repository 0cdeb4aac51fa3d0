//! Why GitHub did not do what it was asked: one sentence each, which says what to do.

use std::time::Duration;

/// What went wrong with GitHub. No message holds a token or anything of the App's key.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the messages are the fields' documentation
pub enum GitHubError {
    #[error(
        "GITHUB_API_URL is {url:?}: write https://api.github.com, or https://HOST/api/v3 of a server of your own"
    )]
    ApiUrl { url: String },
    #[error("GITHUB_APP_ID is {given:?}: write the App's id or client id, as its settings page shows it")]
    AppId { given: String },
    #[error(
        "GITHUB_APP_PRIVATE_KEY is no RSA key: put the text of the .pem file into it that GitHub made for the App, line breaks written \\n"
    )]
    Key,
    #[error("the HTTP client for GitHub cannot be made")]
    Client(#[source] reqwest::Error),
    #[error(
        "GitHub does not know the App by its key: make a new private key on the App's settings page, put it into GITHUB_APP_PRIVATE_KEY, and see that GITHUB_APP_ID is the same App's ({detail})"
    )]
    KeyRefused { detail: String },
    #[error(
        "the GitHub App cannot see {repo}: install it on this repository, or correct the repository's name"
    )]
    NotInstalled { repo: String },
    #[error(
        "the GitHub App's installation on {repo} is suspended: lift that in the settings of the account {account}"
    )]
    Suspended { repo: String, account: String },
    #[error("{repo} is archived: nothing can be changed in it; unarchive it, or ask for delivery patch")]
    Archived { repo: String },
    #[error(
        "the GitHub App may not {what} in {repo}: give it the permissions {needs} on its settings page, and accept them where it is installed ({detail})"
    )]
    Forbidden { what: &'static str, repo: String, needs: &'static str, detail: String },
    #[error("there is no pull request {number} in {repo}: name one that exists, as pull/N")]
    NoPull { repo: String, number: u64 },
    #[error("GitHub wants fewer requests ({detail}): it is asked again later")]
    Throttled {
        detail: String,
        /// When it says so.
        wait: Option<Duration>,
    },
    #[error(
        "GitHub cannot be reached to {what}: see whether it is up, and that the worker reaches it ({detail})"
    )]
    Unavailable { what: &'static str, detail: String },
    #[error("GitHub did not {what} in time: try again, or allow more time")]
    TimedOut { what: &'static str },
    #[error("GitHub does not {what} (status {status}): {detail}")]
    Refused { what: &'static str, status: u16, detail: String },
    #[error(
        "GitHub answered with something that is no answer, asked to {what}: see that GITHUB_API_URL is right ({detail})"
    )]
    Unreadable { what: &'static str, detail: String },
}

impl GitHubError {
    /// Whether the same call will fail again until a person changes something.
    pub fn is_permanent(&self) -> bool {
        !matches!(
            self,
            GitHubError::Throttled { .. } | GitHubError::Unavailable { .. } | GitHubError::TimedOut { .. }
        )
    }

    /// Whether nobody can tell whether it was done.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, GitHubError::Unavailable { .. })
    }
}
