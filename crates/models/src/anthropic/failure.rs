//! What an answer that is no success means: try again, count the answer as lost, or say what a person must do. Pure.
//!
//! Only an error that the provider itself wrote proves that there was no answer to charge for. A page of some gateway on
//! the way does not: the provider may have gone on.

use std::time::Duration;

use agent::ModelError;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// Words by which the provider says that the money ran out, whatever status it gives (400, 402, 403 and 429 are seen).
const MONEY: [&str; 6] = [
    "credit balance",
    "billing",
    "spend limit",
    "spending limit",
    "specified api usage limits",
    "out of credits",
];

/// How an attempt failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is the same the next time.
    Final(ModelError),
    /// Nothing was charged, and the next attempt may succeed.
    Passing {
        /// What happened, without what to do.
        message: String,
        /// How long the provider wants to be left alone.
        wait: Option<Duration>,
        /// The provider says that another attempt is of no use now.
        give_up: bool,
    },
    /// The request had been sent and its answer was lost: it may be charged.
    Lost {
        /// What happened, without what to do.
        message: String,
    },
}

/// Reads an answer whose status is no success.
pub(super) fn of(status: StatusCode, headers: &HeaderMap, body: &[u8], model: &str) -> Failure {
    let (kind, said) = error_of(body);
    let detail = detail(status, &kind, &said, header(headers, "request-id"));
    if out_of_money(status, &kind, &said) {
        let message = format!(
            "the account's money or limit is used up ({detail}): add credit or raise the limit in its console, then retry the job"
        );
        return Failure::Final(ModelError::OutOfMoney { message });
    }
    if let Some(message) = refusal(status, &detail, model) {
        return Failure::Final(ModelError::Refused { message });
    }
    let advice = header(headers, "x-should-retry");
    if passing(status) || advice == Some("true") {
        if is_lost(status, &kind) {
            return Failure::Lost { message: detail };
        }
        return Failure::Passing { message: detail, wait: wait(headers), give_up: advice == Some("false") };
    }
    let message = if status.is_redirection() {
        format!("it redirects to another address ({detail}): set ANTHROPIC_BASE_URL to the final one")
    } else if status == StatusCode::PAYLOAD_TOO_LARGE || said.contains("too long") {
        format!("the conversation is too long for it ({detail}): give a smaller task or a lower TOKEN_CAP")
    } else {
        format!(
            "it does not take the request ({detail}): change the job or its model, the same will fail again"
        )
    };
    Failure::Final(ModelError::Refused { message })
}

fn out_of_money(status: StatusCode, kind: &str, said: &str) -> bool {
    let said = said.to_lowercase();
    kind == "billing_error"
        || status == StatusCode::PAYMENT_REQUIRED
        || (status.is_client_error() && MONEY.iter().any(|word| said.contains(word)))
}

/// The sentence for what only a person can change: keys, permissions, the model's name.
fn refusal(status: StatusCode, detail: &str, model: &str) -> Option<String> {
    match status {
        StatusCode::UNAUTHORIZED => Some(format!(
            "the key is not accepted ({detail}): put a valid ANTHROPIC_API_KEY into the secrets"
        )),
        StatusCode::FORBIDDEN => Some(format!(
            "the key may not do this ({detail}): use a key that may call {model}, or name another model"
        )),
        StatusCode::NOT_FOUND => Some(format!(
            "it has no model {model} ({detail}): name another model, or check ANTHROPIC_BASE_URL"
        )),
        _ => None,
    }
}

fn passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 409 | 429) || status.is_server_error()
}

/// Whether an answer may have been made all the same. `kind` is empty unless the provider itself wrote the error.
fn is_lost(status: StatusCode, kind: &str) -> bool {
    match status.as_u16() {
        // Somebody gave up waiting, and does not know whether the answer was made.
        408 | 502 | 504 | 520..=524 => true,
        // Turned away at the door.
        529 => false,
        _ => status.is_server_error() && kind.is_empty(),
    }
}

/// The error's type and message; of a body that is none, its beginning.
fn error_of(body: &[u8]) -> (String, String) {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &parsed["error"];
    match (error["type"].as_str(), error["message"].as_str()) {
        (Some(kind), Some(message)) => (kind.to_owned(), shown(message)),
        _ => (String::new(), shown(&String::from_utf8_lossy(body))),
    }
}

fn shown(text: &str) -> String {
    domain::clean(&domain::head_and_tail(text.trim(), 500))
}

fn detail(status: StatusCode, kind: &str, said: &str, request_id: Option<&str>) -> String {
    let mut detail = format!("HTTP {}", status.as_u16());
    for (before, part) in [(", ", kind), (": ", said), (", request ", request_id.unwrap_or_default())] {
        if !part.is_empty() {
            detail.push_str(before);
            detail.push_str(part);
        }
    }
    detail
}

/// `retry-after-ms`, or `retry-after` in seconds. The date form of the latter is not used by the provider.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let number = |name| header(headers, name)?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|ms| ms / 1_000.0).or_else(|| number("retry-after"))?;
    // Not a number of seconds that time has: too large means for ever, negative means nothing.
    Some(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
