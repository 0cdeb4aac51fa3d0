//! One HTTP exchange: the request out, a bounded answer in. It retries nothing and reads no clock.

use agent::ModelError;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Response, Url};

use super::failure::{self, Failure};

/// No answer of a model comes near this; more is not read.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// A successful answer.
pub(super) struct Answer {
    pub body: Vec<u8>,
    pub request_id: Option<String>,
}

/// Sends `body` with `key`. The key is marked sensitive, so that no log of headers shows it.
pub(super) async fn exchange(
    client: &Client,
    url: &Url,
    key: &HeaderValue,
    body: &[u8],
    model: &str,
) -> Result<Answer, Failure> {
    let request = client
        .post(url.clone())
        .header("x-api-key", key)
        .header("anthropic-version", "2023-06-01")
        .header(CONTENT_TYPE, "application/json")
        .body(body.to_vec());
    let response = request.send().await.map_err(broken)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = bounded(response).await;
    if !status.is_success() {
        // The status says what there is to know, even if the rest of the answer did not arrive.
        let body = without_key(&body.unwrap_or_default(), key);
        return Err(failure::of(status, &headers, &body, model));
    }
    Ok(Answer { body: body?, request_id: text(&headers, "request-id") })
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
fn without_key(body: &[u8], key: &HeaderValue) -> Vec<u8> {
    let body = String::from_utf8_lossy(body);
    match key.to_str() {
        Ok(key) => body.replace(key, "[key]").into_bytes(),
        Err(_) => Vec::new(),
    }
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

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
