//! How the worker is known on GitHub: as an App.

use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use forge::github::{App, AppSettings};
use service::{Keyring, Name, Redaction};

#[derive(Debug, Args)]
#[group(skip)]
pub struct Settings {
    /// Where GitHub's API is: of a server of your own, https://HOST/api/v3.
    #[arg(long, env = "GITHUB_API_URL", default_value = "https://api.github.com")]
    github_api_url: String,
    /// The id or client id of the GitHub App that results are brought as; its key is the secret GITHUB_APP_PRIVATE_KEY. Without it,
    /// GitHub is a place for git like any other.
    #[arg(long, env = "GITHUB_APP_ID")]
    github_app_id: Option<String>,
    /// Who commits are by [default: the App, or codeteam].
    #[arg(long, env = "COMMIT_NAME")]
    pub commit_name: Option<String>,
    /// The address of who commits are by [default: the App's, or codeteam@localhost].
    #[arg(long, env = "COMMIT_EMAIL")]
    pub commit_email: Option<String>,
}

impl Settings {
    /// Whether it is all said who commits are by.
    pub fn names_author(&self) -> bool {
        self.commit_name.is_some() && self.commit_email.is_some()
    }

    /// The App, if there is one. What it can be told without asking GitHub is checked.
    pub fn app(&self, keyring: &Keyring, redaction: &Redaction) -> anyhow::Result<Option<App>> {
        let Some(id) = self.github_app_id.as_deref().map(str::trim).filter(|id| !id.is_empty()) else {
            return Ok(None);
        };
        let key = keyring
            .require(Name::GithubAppPrivateKey)
            .context("GITHUB_APP_ID is set, and the App's key is missing")?;
        let (redaction, renewing) = (redaction.clone(), keyring.clone());
        let app = App::new(AppSettings {
            api_url: &self.github_api_url,
            id,
            key: &key,
            another_key: Arc::new(move |refused| {
                let found = renewing.another(Name::GithubAppPrivateKey, refused);
                found
                    .inspect_err(|error| tracing::warn!(%error, "the App's key could not be read anew"))
                    .ok()?
            }),
            now: jiff::Timestamp::now,
            on_token: Box::new(move |token| redaction.hide_for_a_while(token)),
        });
        Ok(Some(app?))
    }
}
