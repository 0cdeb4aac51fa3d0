//! What an answer that is no success means: try again, count the answer as lost, or say what a person must do. Pure.
//!
//! Only an error that the provider itself wrote proves that there was no answer to charge for. A page of some gateway on
//! the way does not: the provider may have gone on.

use std::time::Duration;

use agent::ModelError;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::hints;
use crate::setup::Names;
use crate::wire::{Cause, Complaint, Wire};

/// How an attempt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It is the same the next time.
    Final(ModelError),
    /// The key is not accepted: the message says what to do if there is no other.
    Key {
        /// For a person.
        message: String,
    },
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

/// Reads an answer whose status is no success. `now` is for hints that name a time.
pub(crate) fn of(
    wire: &dyn Wire,
    (status, headers, body): (StatusCode, &HeaderMap, &[u8]),
    (model, names): (&str, Names),
    now: jiff::Timestamp,
) -> Failure {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let complaint = wire.complaint(status.as_u16(), &parsed);
    let Complaint { kind, said, wait, cause } = complaint;
    let said = if said.is_empty() { shown(&String::from_utf8_lossy(body)) } else { shown(&said) };
    let kind = domain::clean(&kind);
    let detail = detail(status, &kind, &said, hints::request_id(headers));
    if cause == Cause::Money || status == StatusCode::PAYMENT_REQUIRED {
        let message = format!(
            "the account's money or limit is used up ({detail}): add credit or raise the limit in its console, then retry the job"
        );
        return Failure::Final(ModelError::OutOfMoney { message });
    }
    if cause == Cause::Key || status == StatusCode::UNAUTHORIZED {
        let message =
            format!("the key is not accepted ({detail}): put a valid {} into the secrets", names.key);
        return Failure::Key { message };
    }
    if let Some(message) = refusal(status, &detail, model, names) {
        return Failure::Final(ModelError::Refused { message });
    }
    let advice = hints::should_retry(headers);
    if passing(status) || advice == Some(true) {
        if is_lost(status, &kind) {
            return Failure::Lost { message: detail };
        }
        let wait = hints::wait(headers, now).or(wait);
        return Failure::Passing { message: detail, wait, give_up: advice == Some(false) };
    }
    let message = if status.is_redirection() {
        format!("it redirects to another address ({detail}): set {} to the final one", names.base_url)
    } else if status == StatusCode::PAYLOAD_TOO_LARGE || cause == Cause::Length {
        format!("the conversation is too long for it ({detail}): give a smaller task or a lower TOKEN_CAP")
    } else {
        format!(
            "it does not take the request ({detail}): change the job or its model, the same will fail again"
        )
    };
    Failure::Final(ModelError::Refused { message })
}

/// The sentence for what only a person can change: permissions, the model's name.
fn refusal(status: StatusCode, detail: &str, model: &str, names: Names) -> Option<String> {
    match status {
        StatusCode::FORBIDDEN => Some(format!(
            "the key may not do this ({detail}): use a key that may call {model}, or name another model"
        )),
        StatusCode::NOT_FOUND => Some(format!(
            "it has no model {model} ({detail}): name another model, or check {}",
            names.base_url
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
