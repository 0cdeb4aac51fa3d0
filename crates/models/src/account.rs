//! What a process has at one provider: its address, its key, its connections and its gate. Shared by all models and jobs.

use std::num::NonZeroU32;
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Client, Url, redirect};
use secrecy::{ExposeSecret, SecretString};

use crate::call::Gate;
use crate::catalogue::Provider;
use crate::setup::{Names, SetupError};

/// How long making a connection may take before the next attempt.
const CONNECT: Duration = Duration::from_secs(10);

/// One provider's account.
pub(crate) struct Account {
    pub provider: Provider,
    pub gate: Gate,
    base: String,
    key: RwLock<Option<SecretString>>,
    client: OnceLock<Client>,
}

impl Account {
    /// Checks address and key; sends nothing.
    pub fn new(
        provider: Provider,
        base_url: &str,
        key: Option<SecretString>,
        per_minute: NonZeroU32,
    ) -> Result<Account, SetupError> {
        let base = base_url.trim().trim_end_matches('/').to_owned();
        let (gate, client) = (Gate::new(per_minute), OnceLock::new());
        let account = Account { provider, gate, base, key: RwLock::default(), client };
        account.url("")?;
        key.into_iter().try_for_each(|key| account.change_key(key))?;
        Ok(account)
    }

    /// The key of now.
    pub fn key(&self) -> Option<SecretString> {
        self.key.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses another key from now on, if it can be one.
    pub fn change_key(&self, key: SecretString) -> Result<(), SetupError> {
        let (text, name) = (key.expose_secret().trim(), self.names().key);
        if text.is_empty() {
            return Err(SetupError::EmptyKey { name });
        }
        HeaderValue::from_str(text).map_err(|_| SetupError::BadKey { name })?;
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(())
    }

    /// What its settings are called.
    pub fn names(&self) -> Names {
        self.provider.names()
    }

    /// The full address of `path`.
    pub fn url(&self, path: &str) -> Result<Url, SetupError> {
        let url = Url::parse(&format!("{}{path}", self.base));
        url.ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or(SetupError::BaseUrl { name: self.names().base_url })
    }

    /// The client, made when it is first needed. It follows no redirects, which would carry the key to another host, and
    /// asks no proxy for this machine.
    pub fn client(&self) -> Result<Client, SetupError> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(SetupError::NoTls);
        }
        let builder = Client::builder()
            .user_agent(concat!("codeteam/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT);
        let url = self.url("")?;
        let here = url.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "[::1]" | "localhost"));
        let builder = if here { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(SetupError::Client)?;
        Ok(self.client.get_or_init(|| client).clone())
    }
}
