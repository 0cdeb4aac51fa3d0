//! One HTTP exchange: the request out, a bounded answer in. It retries nothing and reads no clock.

use agent::ModelError;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};

use super::Failure;

/// No answer of a model comes near this; more is not read.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Where to send, and with what beside the body.
pub(crate) struct Address {
    pub client: Client,
    pub url: Url,
    /// The header that carries the key, and what stands before the key in it.
    pub key_header: (&'static str, &'static str),
    pub headers: &'static [(&'static str, &'static str)],
}

/// An answer of any status. Of one that is no success the body may be cut, and the key is taken out of it.
pub(crate) struct Heard {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Sends `body` with `key`, which is marked sensitive, so that no log of headers shows it.
pub(crate) async fn exchange(
    address: &Address,
    key: Option<&SecretString>,
    body: &[u8],
) -> Result<Heard, Failure> {
    let mut request = address.client.post(address.url.clone()).header(CONTENT_TYPE, "application/json");
    let key = key.map(|key| key.expose_secret().trim());
    if let Some(key) = key {
        let (name, scheme) = address.key_header;
        // What is no header was refused when the key was set.
        if let Ok(mut value) = HeaderValue::from_str(&format!("{scheme}{key}")) {
            value.set_sensitive(true);
            request = request.header(name, value);
        }
    }
    for (name, value) in address.headers {
        request = request.header(*name, *value);
    }
    let response = request.body(body.to_vec()).send().await.map_err(broken)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = bounded(response).await;
    let body = match status.is_success() {
        true => body?,
        // The status says what there is to know, even if the rest of the answer did not arrive.
        false => without_key(&body.unwrap_or_default(), key),
    };
    Ok(Heard { status, headers, body })
}

async fn bounded(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            let message = format!("it is larger than {} MB", LARGEST_ANSWER / 1024 / 1024);
            return Err(Failure::Final(ModelError::Malformed { message }));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The body of an error that repeats the key, without it: its words end up in logs and events.
fn without_key(body: &[u8], key: Option<&str>) -> Vec<u8> {
    let body = String::from_utf8_lossy(body);
    key.map_or_else(|| body.clone().into_owned(), |key| body.replace(key, "[key]")).into_bytes()
}

/// A connection that could not be made, or that broke. Only in the first case is it certain that nothing was sent.
fn broken(error: reqwest::Error) -> Failure {
    let sent = !error.is_connect();
    // The address may hold a password, so it stays out of the message.
    let message = chain(&error.without_url());
    if sent { Failure::Lost { message } } else { Failure::Passing { message, wait: None, give_up: false } }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    message
}
