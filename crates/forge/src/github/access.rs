//! A way into one repository: a token that is good for it alone, with the rights that a job needs, renewed before it ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::GitHubError;
use super::address::Slug;
use super::app::{App, Identity};
use super::http::{Answer, Ask};
use crate::ForgeError;
use crate::source::Source;

/// How long before its end a token is no longer used.
const EARLY: Duration = Duration::from_secs(5 * 60);
/// How long a token lives if GitHub's answer does not say so.
const LIFETIME: Duration = Duration::from_secs(60 * 60);
/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// What a job may do in its repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Read its code.
    Read,
    /// Read its code and its pull requests.
    ReadPulls,
    /// Push a branch.
    Push,
    /// Push a branch and open a pull request.
    PullRequest,
    /// Read its code, and write reviews and comments on pull requests.
    Review,
}

impl Rights {
    fn permissions(self) -> Value {
        match self {
            Rights::Read => json!({"metadata": "read", "contents": "read"}),
            Rights::ReadPulls => json!({"metadata": "read", "contents": "read", "pull_requests": "read"}),
            Rights::Push => json!({"metadata": "read", "contents": "write"}),
            Rights::PullRequest => json!({"metadata": "read", "contents": "write", "pull_requests": "write"}),
            Rights::Review => json!({"metadata": "read", "contents": "read", "pull_requests": "write"}),
        }
    }

    /// In GitHub's own words, for a person who must give them.
    pub(super) fn told(self) -> &'static str {
        match self {
            Rights::Read => "Contents: read",
            Rights::ReadPulls => "Contents: read, Pull requests: read",
            Rights::Push => "Contents: read and write",
            Rights::PullRequest => "Contents: read and write, Pull requests: read and write",
            Rights::Review => "Contents: read, Pull requests: read and write",
        }
    }
}

/// One job's way into one repository. No `Debug`: it holds a token.
pub struct Access {
    app: App,
    slug: Slug,
    rights: Rights,
    installation: u64,
    /// Whether it may change workflows, too.
    workflows: AtomicBool,
    token: Mutex<Token>,
}

struct Token {
    value: SecretString,
    good_until: Instant,
}

/// One question about the repository.
pub(super) struct Question<'a> {
    pub method: Method,
    /// From the repository on, with a slash first.
    pub path: &'a str,
    pub body: Option<Value>,
    pub what: &'static str,
    pub repeat: bool,
}

impl<'a> Question<'a> {
    pub fn get(path: &'a str, what: &'static str) -> Question<'a> {
        Question { method: Method::GET, path, body: None, what, repeat: true }
    }

    /// Creates something: asked once.
    pub fn post(path: &'a str, body: Value, what: &'static str) -> Question<'a> {
        Question { method: Method::POST, path, body: Some(body), what, repeat: false }
    }

    pub fn patch(path: &'a str, body: Value, what: &'static str) -> Question<'a> {
        Question { method: Method::PATCH, path, body: Some(body), what, repeat: true }
    }
}

impl Access {
    pub(super) async fn new(
        app: App,
        slug: Slug,
        rights: Rights,
        installation: u64,
        deadline: Instant,
    ) -> Result<Access, GitHubError> {
        let token = mint(&app, &slug, rights, false, installation, deadline).await?;
        let workflows = AtomicBool::new(false);
        Ok(Access { app, slug, rights, installation, workflows, token: Mutex::new(token) })
    }

    /// The repository.
    pub fn slug(&self) -> &Slug {
        &self.slug
    }

    /// The page of a branch of it, for people.
    pub fn branch_page(&self, branch: &str) -> String {
        self.app.host().branch_page(&self.slug, branch)
    }

    /// Who the App is.
    ///
    /// # Errors
    /// `KeyRefused`, and those of any question.
    pub async fn identity(&self, deadline: Instant) -> Result<&Identity, GitHubError> {
        self.app.identity(self, deadline).await
    }

    /// The repository as git is asked for it, with a token that is good for five minutes at least.
    ///
    /// # Errors
    /// `GitHub`, when a new token was needed and not given.
    pub async fn source(&self, deadline: Instant) -> Result<Source, ForgeError> {
        let token = self.token(deadline).await?;
        Source::parse(&self.app.host().git_url(&self.slug, token.expose_secret()))
    }

    /// Does what git was asked to do, and if GitHub does not take the token any more, once more with a new one.
    ///
    /// # Errors
    /// Those of `work`; `GitHub`, when no new token was given.
    pub async fn with_source<T>(
        &self,
        deadline: Instant,
        mut work: impl AsyncFnMut(&Source) -> Result<T, ForgeError>,
    ) -> Result<T, ForgeError> {
        match work(&self.source(deadline).await?).await {
            Err(ForgeError::NeedsCredentials { .. }) => {
                self.renew(deadline).await?;
                work(&self.source(deadline).await?).await
            }
            done => done,
        }
    }

    /// Gives the token back: whoever might have got hold of it has nothing. Says nothing when that fails, since it ends by itself.
    pub async fn leave(self) {
        let token = self.token.lock().await;
        self.give_back(&token).await;
    }

    /// From now on its token may change workflows, too: GitHub takes no push that does with another one. The one before is given back.
    ///
    /// # Errors
    /// `Forbidden`, when the App may not, and those of any question.
    pub async fn allow_workflows(&self, deadline: Instant) -> Result<(), GitHubError> {
        let mut token = self.token.lock().await;
        let may = mint(&self.app, &self.slug, self.rights, true, self.installation, deadline).await?;
        self.workflows.store(true, Ordering::Relaxed);
        let before = std::mem::replace(&mut *token, may);
        drop(token);
        self.give_back(&before).await;
        Ok(())
    }

    async fn give_back(&self, token: &Token) {
        let ask = Ask {
            method: &Method::DELETE,
            path: "/installation/token",
            body: None,
            token: token.value.expose_secret(),
            what: "take the token back",
            repeat: false,
            deadline: Instant::now() + FAREWELL,
        };
        let asked = timeout(FAREWELL, self.app.http().ask(ask)).await;
        if !matches!(asked, Ok(Ok(_))) {
            tracing::debug!(repo = %self.slug, "GitHub did not take the token back; it ends within the hour");
        }
    }

    async fn token(&self, deadline: Instant) -> Result<SecretString, GitHubError> {
        let mut token = self.token.lock().await;
        if Instant::now() + EARLY >= token.good_until {
            *token = self.mint(deadline).await?;
        }
        Ok(token.value.clone())
    }

    async fn renew(&self, deadline: Instant) -> Result<(), GitHubError> {
        *self.token.lock().await = self.mint(deadline).await?;
        Ok(())
    }

    async fn mint(&self, deadline: Instant) -> Result<Token, GitHubError> {
        let workflows = self.workflows.load(Ordering::Relaxed);
        mint(&self.app, &self.slug, self.rights, workflows, self.installation, deadline).await
    }

    /// Asks about the repository. A token that is refused is replaced, once.
    pub(super) async fn ask(
        &self,
        question: &Question<'_>,
        deadline: Instant,
    ) -> Result<Answer, GitHubError> {
        self.ask_at(&format!("/repos/{}{}", self.slug, question.path), question, deadline).await
    }

    /// Asks the same way for something that stands elsewhere: at `path`, from the API's root.
    pub(super) async fn ask_at(
        &self,
        path: &str,
        question: &Question<'_>,
        deadline: Instant,
    ) -> Result<Answer, GitHubError> {
        let once = async || {
            let token = self.token(deadline).await?;
            let ask = Ask {
                method: &question.method,
                path,
                body: question.body.as_ref(),
                token: token.expose_secret(),
                what: question.what,
                repeat: question.repeat,
                deadline,
            };
            self.app.http().ask(ask).await
        };
        let answer = once().await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        self.renew(deadline).await?;
        once().await
    }

    /// What an answer means that is none of those that the caller knows.
    pub(super) fn trouble(&self, answer: &Answer, what: &'static str) -> GitHubError {
        let (repo, detail) = (self.slug.to_string(), answer.detail());
        let low = detail.to_ascii_lowercase();
        match answer.status {
            401 => GitHubError::KeyRefused { detail },
            403 | 404 | 422 if low.contains("archived") => GitHubError::Archived { repo },
            403 if low.contains("suspended") => {
                GitHubError::Suspended { repo, account: self.slug.owner.clone() }
            }
            403 => GitHubError::Forbidden { what, repo, needs: self.rights.told(), detail },
            404 => GitHubError::NotInstalled { repo },
            _ => answer.refused(),
        }
    }
}

async fn mint(
    app: &App,
    slug: &Slug,
    rights: Rights,
    workflows: bool,
    installation: u64,
    deadline: Instant,
) -> Result<Token, GitHubError> {
    const WHAT: &str = "give a token for the repository";
    #[derive(Deserialize)]
    struct Minted {
        token: SecretString,
        expires_at: Option<Timestamp>,
    }
    let mut permissions = rights.permissions();
    if workflows {
        permissions["workflows"] = "write".into();
    }
    let body = json!({"repositories": [slug.name], "permissions": permissions});
    let path = format!("/app/installations/{installation}/access_tokens");
    let answer = app.ask_as_app(&Method::POST, &path, Some(&body), WHAT, deadline).await?;
    let (repo, detail) = (slug.to_string(), answer.detail());
    match answer.status {
        200..300 => {}
        403 if detail.to_ascii_lowercase().contains("suspended") => {
            return Err(GitHubError::Suspended { repo, account: slug.owner.clone() });
        }
        404 => return Err(GitHubError::NotInstalled { repo }),
        // It had the others a moment ago.
        422 if workflows && detail.to_ascii_lowercase().contains("permissions") => {
            let (what, needs) = ("change .github/workflows", "Workflows: read and write");
            return Err(GitHubError::Forbidden { what, repo, needs, detail });
        }
        422 if detail.to_ascii_lowercase().contains("permissions") => {
            return Err(GitHubError::Forbidden { what: "work", repo, needs: rights.told(), detail });
        }
        422 => return Err(GitHubError::NotInstalled { repo }),
        _ => return Err(answer.refused()),
    }
    let date = answer.date;
    let Minted { token, expires_at } = answer.read()?;
    app.hide(&token);
    let lifetime = expires_at
        .map(|end| end.as_second() - date.map_or_else(|| app.now(), Timestamp::as_second))
        .map_or(LIFETIME, |seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
    Ok(Token { value: token, good_until: Instant::now() + lifetime })
}
