//! One question to GitHub's API and its answer, asked again where that is safe and helps.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Method, redirect};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::GitHubError;

/// For one exchange.
const ANSWER: Duration = Duration::from_secs(20);
/// Bytes of an answer. A page of a hundred long reviews has some millions.
const LONGEST: usize = 32 << 20;
/// Times that one question is asked.
const TRIES: u32 = 4;
/// Characters of GitHub's explanation that are kept.
const QUOTED: usize = 500;
/// What GitHub asks to be waited for when it throttles and does not say for how long.
const THROTTLED: Duration = Duration::from_secs(60);

/// Where questions go.
#[derive(Clone)]
pub(super) struct Http {
    client: Client,
    api: String,
}

/// One question.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub method: &'a Method,
    /// From the API's root, with a slash first.
    pub path: &'a str,
    pub body: Option<&'a Value>,
    pub token: &'a str,
    /// Completes "GitHub does not ...".
    pub what: &'static str,
    /// Whether asking twice does no more than asking once. Without it a question whose answer was lost is not asked again, unless
    /// GitHub says that it did nothing.
    pub repeat: bool,
    pub deadline: Instant,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub body: Value,
    /// GitHub's clock.
    pub date: Option<Timestamp>,
    wait: Option<Duration>,
    what: &'static str,
}

impl Http {
    pub fn new(api: &str) -> Result<Http, GitHubError> {
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("application/vnd.github+json"));
        headers.insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
        let client = Client::builder()
            .user_agent(concat!("codeteam/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            // A repository that was renamed answers with its new place.
            .redirect(redirect::Policy::limited(3))
            .connect_timeout(Duration::from_secs(10))
            .build()
            .map_err(GitHubError::Client)?;
        Ok(Http { client, api: api.to_owned() })
    }

    /// Asks until there is an answer that another try would not change.
    pub async fn ask(&self, ask: Ask<'_>) -> Result<Answer, GitHubError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let result = self.once(ask).await;
            let pause = match &result {
                Ok(answer) => answer.pause(tries, ask.repeat),
                Err(GitHubError::Unavailable { .. }) if ask.repeat => Some(back_off(tries)),
                Err(_) => None,
            };
            let left = ask.deadline.saturating_duration_since(Instant::now());
            match pause {
                Some(pause) if tries < TRIES && pause + Duration::from_secs(1) < left => sleep(pause).await,
                _ => return result.and_then(Answer::or_trouble),
            }
        }
    }

    async fn once(&self, ask: Ask<'_>) -> Result<Answer, GitHubError> {
        let mut request = self
            .client
            .request(ask.method.clone(), format!("{}{}", self.api, ask.path))
            .bearer_auth(ask.token);
        if let Some(body) = ask.body {
            request = request.json(body);
        }
        let until = ask.deadline.min(Instant::now() + ANSWER);
        let unavailable = |error: reqwest::Error| GitHubError::Unavailable {
            what: ask.what,
            detail: error.without_url().to_string(),
        };
        let exchange = async {
            let mut response = request.send().await.map_err(unavailable)?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let mut bytes = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
                bytes.extend_from_slice(&chunk);
                if bytes.len() > LONGEST {
                    return Err(GitHubError::Unreadable { what: ask.what, detail: "it has no end".into() });
                }
            }
            let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            let date = text(&headers, "date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
            let date = date.map(|date| date.timestamp());
            let wait = throttle(status, &headers, &body, date);
            Ok(Answer { status, body, date, wait, what: ask.what })
        };
        match timeout_at(until, exchange).await {
            Ok(answer) => answer,
            Err(_) if until == ask.deadline => Err(GitHubError::TimedOut { what: ask.what }),
            Err(_) => Err(GitHubError::Unavailable { what: ask.what, detail: "no answer came".to_owned() }),
        }
    }
}

impl Answer {
    /// How long to wait before the same question makes sense; None: not at all.
    fn pause(&self, tries: u32, may_repeat: bool) -> Option<Duration> {
        match self.wait {
            Some(wait) => Some(wait.max(back_off(tries))),
            None => (may_repeat && self.status >= 500).then(|| back_off(tries)),
        }
    }

    /// What no caller has an answer to.
    fn or_trouble(self) -> Result<Answer, GitHubError> {
        let detail = || self.detail();
        if self.wait.is_some() {
            return Err(GitHubError::Throttled { detail: detail(), wait: self.wait });
        }
        if self.status >= 500 {
            let detail = format!("status {}: {}", self.status, detail());
            return Err(GitHubError::Unavailable { what: self.what, detail });
        }
        Ok(self)
    }

    /// GitHub's own explanation, and what it has against which field.
    pub fn detail(&self) -> String {
        let mut said = self.body["message"].as_str().unwrap_or("it does not say why").to_owned();
        for error in self.body["errors"].as_array().into_iter().flatten() {
            let parts = ["resource", "field", "code", "message"].map(|key| error[key].as_str());
            let parts: Vec<&str> = error.as_str().into_iter().chain(parts.into_iter().flatten()).collect();
            said.push_str(&format!("; {}", parts.join(" ")));
        }
        domain::clean(&said).replace('\n', " ").chars().take(QUOTED).collect()
    }

    /// The body as what was asked for.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, GitHubError> {
        let what = self.what;
        if self.status >= 300 {
            return Err(self.refused());
        }
        serde_json::from_value(self.body)
            .map_err(|error| GitHubError::Unreadable { what, detail: error.to_string() })
    }

    pub fn refused(&self) -> GitHubError {
        GitHubError::Refused { what: self.what, status: self.status, detail: self.detail() }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn back_off(tries: u32) -> Duration {
    Duration::from_millis(500) * 2_u32.saturating_pow(tries.saturating_sub(1))
}

/// Whether GitHub says that it did nothing because there was too much, and how long it wants to be left alone.
fn throttle(status: u16, headers: &HeaderMap, body: &Value, date: Option<Timestamp>) -> Option<Duration> {
    let number = |name| text(headers, name).and_then(|value| value.parse::<u64>().ok());
    let retry_after = number("retry-after").map(Duration::from_secs);
    let is_spent = number("x-ratelimit-remaining") == Some(0);
    let says = |part| body["message"].as_str().is_some_and(|said| said.to_ascii_lowercase().contains(part));
    let is_throttled =
        status == 429 || (status == 403 && (retry_after.is_some() || is_spent || says("rate limit")));
    if !is_throttled {
        return None;
    }
    let until_reset = || {
        let reset = number("x-ratelimit-reset").filter(|_| is_spent)?;
        let now = u64::try_from(date?.as_second()).ok()?;
        Some(Duration::from_secs(reset.saturating_sub(now).max(1)))
    };
    Some(retry_after.or_else(until_reset).unwrap_or(THROTTLED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wait(status: u16, headers: &[(&'static str, &'static str)], message: &str) -> Option<u64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        let date = Some(Timestamp::from_second(1_000).unwrap());
        throttle(status, &map, &json!({"message": message}), date).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_throttle_is_told_from_a_refusal() {
        assert_eq!(wait(403, &[], "Resource not accessible by integration"), None);
        assert_eq!(wait(403, &[("retry-after", "7")], "slow down"), Some(7));
        assert_eq!(wait(403, &[], "You have exceeded a secondary rate limit"), Some(60));
        assert_eq!(wait(429, &[], ""), Some(60));
        let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1300")];
        assert_eq!(wait(403, &spent, ""), Some(300));
        assert_eq!(wait(200, &spent, ""), None);
    }

    #[test]
    fn what_github_has_against_a_field_is_told() {
        let body = json!({"message": "Validation Failed", "errors": [{"resource": "PullRequest", "code": "custom", "message": "No commits"}, "odd"]});
        let answer = Answer { status: 422, body, date: None, wait: None, what: "open it" };
        assert_eq!(answer.detail(), "Validation Failed; PullRequest custom No commits; odd");
    }
}
