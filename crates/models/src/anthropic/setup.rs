//! What an adapter needs before its first call, and what can be wrong with it.

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Client, Url, redirect};
use secrecy::{ExposeSecret, SecretString};

use crate::catalogue::LookupError;

/// How long making a connection may take before the next attempt.
const CONNECT: Duration = Duration::from_secs(10);

/// Where the adapter calls, which model, and with which key.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The model's name as jobs and settings write it; it may carry a date.
    pub model: String,
    /// The address before `/v1/messages`: [`super::DEFAULT_BASE_URL`], or what `ANTHROPIC_BASE_URL` says.
    pub base_url: String,
    /// The account's key.
    pub key: SecretString,
}

/// Why an adapter cannot be made. The message says what to do.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum SetupError {
    #[error(transparent)]
    Model(#[from] LookupError),
    #[error("ANTHROPIC_BASE_URL is no address of a server: write it as https://HOST or http://HOST:PORT")]
    BaseUrl,
    #[error("the ANTHROPIC_API_KEY is empty: put the account's key into the secrets")]
    NoKey,
    #[error(
        "the ANTHROPIC_API_KEY holds characters that no key has: copy it again, without spaces or line breaks"
    )]
    BadKey,
    #[error("no TLS provider is installed: install one at the program's start, before any model is set up")]
    NoTls,
    #[error("the HTTP client cannot be made: check the system's certificates and proxy settings")]
    Client(#[source] reqwest::Error),
}

/// The full address of the Messages endpoint.
pub(super) fn endpoint(base: &str) -> Result<Url, SetupError> {
    let url = Url::parse(&format!("{}/v1/messages", base.trim().trim_end_matches('/')));
    url.ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or(SetupError::BaseUrl)
}

/// The key as a header that no log shows.
pub(super) fn header(key: &SecretString) -> Result<HeaderValue, SetupError> {
    let key = key.expose_secret().trim();
    if key.is_empty() {
        return Err(SetupError::NoKey);
    }
    let mut header = HeaderValue::from_str(key).map_err(|_| SetupError::BadKey)?;
    header.set_sensitive(true);
    Ok(header)
}

/// The client. It follows no redirects, which would carry the key to another host, and asks no proxy for this machine.
pub(super) fn client(url: &Url) -> Result<Client, SetupError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(SetupError::NoTls);
    }
    let builder = Client::builder()
        .user_agent(concat!("codeteam/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT);
    let here = url.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "[::1]" | "localhost"));
    let builder = if here { builder.no_proxy() } else { builder };
    builder.build().map_err(SetupError::Client)
}
