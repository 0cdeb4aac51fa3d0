//! The GitHub App: who it is, and its way into one repository.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::GitHubError;
use super::access::{Access, Question, Rights};
use super::address::{Host, Slug};
use super::http::{Answer, Ask, Http};
use super::jwt::Signer;

/// Another key than the one given; None: there is none.
pub type AnotherKey = Arc<dyn Fn(&SecretString) -> Option<SecretString> + Send + Sync>;

/// What an App is made of.
pub struct AppSettings<'a> {
    /// `https://api.github.com`, or `https://HOST/api/v3` of a server of one's own.
    pub api_url: &'a str,
    /// The App's id or client id.
    pub id: &'a str,
    /// The text of its PEM file.
    pub key: &'a SecretString,
    /// Is asked for another key than this one when GitHub does not take it. May block.
    pub another_key: AnotherKey,
    /// The wall clock. It may be wrong by much: GitHub's own, which comes with each of its answers, corrects it.
    pub now: fn() -> Timestamp,
    /// Is told each token before it is used, so that it can be hidden wherever text goes.
    pub on_token: Box<dyn Fn(&SecretString) + Send + Sync>,
}

/// A GitHub App. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    host: Host,
    http: Http,
    id: String,
    signing: RwLock<Signing>,
    another_key: AnotherKey,
    now: fn() -> Timestamp,
    /// Seconds that GitHub's clock is ahead of ours, as far as that mattered.
    ahead: AtomicI64,
    on_token: Box<dyn Fn(&SecretString) + Send + Sync>,
    identity: OnceCell<Identity>,
}

/// A key and what signs with it.
#[derive(Clone)]
struct Signing {
    signer: Arc<Signer>,
    key: SecretString,
}

impl Signing {
    fn new(id: &str, key: &SecretString) -> Result<Signing, GitHubError> {
        Ok(Signing { signer: Arc::new(Signer::new(id, key.expose_secret())?), key: key.clone() })
    }
}

/// The user that GitHub shows the App as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `SLUG[bot]`.
    pub login: String,
    /// The address by which commits are shown as its own.
    pub email: String,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
    suspended_at: Option<String>,
    account: Option<Account>,
}

#[derive(Deserialize)]
struct Account {
    login: Option<String>,
}

impl App {
    /// Looks at the settings, not at the world.
    ///
    /// # Errors
    /// `ApiUrl`, `AppId`, `Key` or `Client`.
    pub fn new(settings: AppSettings<'_>) -> Result<App, GitHubError> {
        let host = Host::parse(settings.api_url)?;
        let inner = Inner {
            http: Http::new(&host.api)?,
            host,
            id: settings.id.to_owned(),
            signing: RwLock::new(Signing::new(settings.id, settings.key)?),
            another_key: settings.another_key,
            now: settings.now,
            ahead: AtomicI64::new(0),
            on_token: settings.on_token,
            identity: OnceCell::new(),
        };
        Ok(App { inner: Arc::new(inner) })
    }

    /// The repository that an address means on this App's GitHub. None: it is somewhere else, or brings credentials of its own.
    pub fn slug(&self, repo: &str) -> Option<Slug> {
        self.inner.host.slug(repo)
    }

    /// Gets a token for one repository with these rights and no other.
    ///
    /// # Errors
    /// `NotInstalled`, `Suspended`, `KeyRefused`, `Forbidden`, and those of any question.
    pub async fn enter(&self, slug: Slug, rights: Rights, deadline: Instant) -> Result<Access, GitHubError> {
        const WHAT: &str = "say where the App is installed";
        let answer = self
            .ask_as_app(&Method::GET, &format!("/repos/{slug}/installation"), None, WHAT, deadline)
            .await?;
        if answer.status == 404 {
            return Err(GitHubError::NotInstalled { repo: slug.to_string() });
        }
        let found: Installation = answer.read()?;
        if found.suspended_at.is_some() {
            let account =
                found.account.and_then(|account| account.login).unwrap_or_else(|| slug.owner.clone());
            return Err(GitHubError::Suspended { repo: slug.to_string(), account });
        }
        Access::new(self.clone(), slug, rights, found.id, deadline).await
    }

    /// Who it is. Asked once. Of users GitHub tells nothing to who comes with the App's own word: `access` brings a token.
    pub(super) async fn identity(
        &self,
        access: &Access,
        deadline: Instant,
    ) -> Result<&Identity, GitHubError> {
        #[derive(Deserialize)]
        struct About {
            slug: String,
        }
        #[derive(Deserialize)]
        struct User {
            id: u64,
        }
        let ask = async || {
            let told = self.ask_as_app(&Method::GET, "/app", None, "say who the App is", deadline).await?;
            let About { slug } = told.read()?;
            let path = format!("/users/{slug}%5Bbot%5D");
            let told =
                access.ask_at(&path, &Question::get(&path, "say which user the App is"), deadline).await?;
            let User { id } = told.read()?;
            let login = format!("{slug}[bot]");
            let email = format!("{id}+{login}@users.noreply.{}", self.inner.host.domain());
            Ok(Identity { login, email })
        };
        self.inner.identity.get_or_try_init(ask).await
    }

    pub(super) fn host(&self) -> &Host {
        &self.inner.host
    }

    pub(super) fn http(&self) -> &Http {
        &self.inner.http
    }

    pub(super) fn hide(&self, token: &SecretString) {
        (self.inner.on_token)(token);
    }

    /// Our clock, put right by what is known of GitHub's.
    pub(super) fn now(&self) -> i64 {
        (self.inner.now)().as_second() + self.inner.ahead.load(Ordering::Relaxed)
    }

    fn signing(&self) -> Signing {
        self.inner.signing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes another key if there is one: somebody may have replaced the one that GitHub refuses. Says whether there was.
    async fn take_another_key(&self) -> Result<bool, GitHubError> {
        let (ask, refused) = (self.inner.another_key.clone(), self.signing().key);
        let Ok(Some(key)) = tokio::task::spawn_blocking(move || ask(&refused)).await else {
            return Ok(false);
        };
        let signing = Signing::new(&self.inner.id, &key)?;
        *self.inner.signing.write().unwrap_or_else(PoisonError::into_inner) = signing;
        Ok(true)
    }

    /// Asks with the App's own word. If GitHub does not take it, its clock may differ from ours: once more, by its clock. If it still does
    /// not, the key may have been replaced: once more, with another.
    pub(super) async fn ask_as_app(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        what: &'static str,
        deadline: Instant,
    ) -> Result<Answer, GitHubError> {
        let once = async || {
            let token = SecretString::from(self.signing().signer.sign(self.now())?);
            self.hide(&token);
            let token = token.expose_secret();
            // A token more does no harm: each goes out of use by itself.
            self.inner.http.ask(Ask { method, path, body, token, what, repeat: true, deadline }).await
        };
        let mut answer = once().await?;
        if answer.status == 401
            && let Some(theirs) = answer.date
        {
            self.inner.ahead.store(theirs.as_second() - (self.inner.now)().as_second(), Ordering::Relaxed);
            answer = once().await?;
        }
        if answer.status == 401 && self.take_another_key().await? {
            answer = once().await?;
        }
        if answer.status == 401 {
            return Err(GitHubError::KeyRefused { detail: answer.detail() });
        }
        Ok(answer)
    }
}
