//! The names that a secrets file may hold.

use std::fmt;

/// Which secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// `DATABASE_URL`: where and as which role this program logs in.
    DatabaseUrl,
    /// `OPENAI_API_KEY`
    OpenaiApiKey,
    /// `ANTHROPIC_API_KEY`
    AnthropicApiKey,
    /// `GOOGLE_API_KEY`
    GoogleApiKey,
    /// `GITHUB_APP_PRIVATE_KEY`: the PEM text of the App's key.
    GithubAppPrivateKey,
}

impl Name {
    /// Every name.
    pub const ALL: [Name; 5] = [
        Name::DatabaseUrl,
        Name::OpenaiApiKey,
        Name::AnthropicApiKey,
        Name::GoogleApiKey,
        Name::GithubAppPrivateKey,
    ];

    /// The name's one spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Name::DatabaseUrl => "DATABASE_URL",
            Name::OpenaiApiKey => "OPENAI_API_KEY",
            Name::AnthropicApiKey => "ANTHROPIC_API_KEY",
            Name::GoogleApiKey => "GOOGLE_API_KEY",
            Name::GithubAppPrivateKey => "GITHUB_APP_PRIVATE_KEY",
        }
    }

    pub(super) fn read(text: &str) -> Option<Name> {
        Name::ALL.into_iter().find(|name| name.as_str() == text)
    }

    pub(super) fn list() -> String {
        Name::ALL.map(Name::as_str).join(", ")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
