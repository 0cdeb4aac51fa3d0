//! What went wrong with a call, in one sentence for a person and one word for the program. Pure: [`classify`] looks at
//! [`Facts`] and calls nobody.

use crate::Facts;
use crate::codes::{denied_action, kind_of};

/// Longest part of AWS's own words that a sentence quotes, in characters.
const QUOTE: usize = 300;

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct AwsError {
    /// What it is to the program.
    pub kind: Kind,
    /// What it is to a person, and what to do about it.
    pub sentence: String,
    /// Whether the call may have been carried out all the same.
    pub in_doubt: bool,
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Somebody else changes the same target at this moment.
    Conflict,
    /// Too many calls.
    Throttled,
    /// AWS failed by itself.
    Server,
    /// No answer in time.
    TimedOut,
    /// No connection, or one that broke.
    Unreachable,
    /// An answer that is none.
    Malformed,
    /// Not allowed.
    Denied,
    /// The service, the cluster or the target is not there, in this region.
    Missing,
    /// AWS does not accept what was asked.
    Invalid,
    /// A limit of the account.
    Limit,
    /// No credentials, or none that AWS knows.
    Credentials,
    /// No region, or the SDK's settings make no request.
    Settings,
}

impl Kind {
    /// Whether it stays until a person does something: trying again soon is of no use.
    pub fn needs_somebody(self) -> bool {
        match self {
            Self::Conflict
            | Self::Throttled
            | Self::Server
            | Self::TimedOut
            | Self::Unreachable
            | Self::Malformed => false,
            Self::Denied
            | Self::Missing
            | Self::Invalid
            | Self::Limit
            | Self::Credentials
            | Self::Settings => true,
        }
    }
}

/// What a call was about, for its sentences.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The action as IAM spells it: `application-autoscaling:RegisterScalableTarget`.
    pub action: &'a str,
    /// What it was asked for: `service/ai-coding-team/mechanic-worker`.
    pub subject: &'a str,
    /// The region that was asked.
    pub region: &'a str,
}

/// What `facts` are to the program and to a person.
pub fn classify(facts: &Facts, about: About<'_>) -> AwsError {
    let About { action, subject, region } = about;
    let error = |kind, in_doubt, sentence: String| AwsError { kind, sentence, in_doubt };
    match facts {
        Facts::Answer { status, code, message } => {
            let code = code.as_deref().unwrap_or("");
            let message = message.as_deref().unwrap_or("");
            let kind = kind_of(*status, code, message);
            let said = said(*status, code, message);
            let sentence = match kind {
                Kind::Conflict => format!("{subject} is being changed by somebody else ({said})"),
                Kind::Throttled => format!("AWS asks for fewer calls of {action} ({said})"),
                Kind::Denied => {
                    let needed = denied_action(message).unwrap_or(action);
                    format!(
                        "AWS refuses {needed} for {subject}: allow that action in this program's role ({said})"
                    )
                }
                Kind::Missing => format!(
                    "{subject} does not exist in region {region}: create it, or correct the names of the cluster and \
                     the services or AWS_REGION ({said})"
                ),
                Kind::Limit => {
                    format!("{action} exceeds a limit of the account: ask AWS to raise it ({said})")
                }
                Kind::Credentials => format!(
                    "AWS does not know this program's credentials: renew them, and check this machine's clock ({said})"
                ),
                Kind::Server => format!("AWS failed to carry out {action} ({said})"),
                _ => format!("AWS does not accept {action} for {subject} ({said})"),
            };
            error(kind, kind == Kind::Server, sentence)
        }
        Facts::Garbled { status, why } => error(
            Kind::Malformed,
            true,
            format!(
                "what answers {action} with status {status} does not speak as AWS does: check AWS_ENDPOINT_URL and \
                 any proxy in between ({})",
                quote(why)
            ),
        ),
        Facts::TimedOut { sent: true } => {
            error(Kind::TimedOut, true, format!("AWS did not answer {action} in time"))
        }
        Facts::TimedOut { sent: false } => error(
            Kind::TimedOut,
            false,
            format!("{action} could not be sent in time: credentials or the connection came too late"),
        ),
        Facts::Cut { why } => error(
            Kind::Unreachable,
            true,
            format!("the connection broke before AWS had answered {action} ({})", quote(why)),
        ),
        Facts::Unconnected { why } => error(
            Kind::Unreachable,
            false,
            format!(
                "AWS cannot be reached in region {region}: check AWS_REGION, AWS_ENDPOINT_URL and the network ({})",
                quote(why)
            ),
        ),
        Facts::NoCredentials { why } => error(
            Kind::Credentials,
            false,
            format!(
                "there are no AWS credentials: give the task a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID ({})",
                quote(why)
            ),
        ),
        Facts::Unbuilt { why } => error(
            Kind::Settings,
            false,
            format!(
                "{action} cannot be asked for: check AWS_ENDPOINT_URL and the other settings of AWS ({})",
                quote(why)
            ),
        ),
    }
}

fn said(status: u16, code: &str, message: &str) -> String {
    match (code, message) {
        ("", "") => format!("status {status}"),
        (code, "") => format!("status {status}, {code}"),
        ("", message) => format!("status {status}: {}", quote(message)),
        (code, message) => format!("{code}: {}", quote(message)),
    }
}

/// On one line and not longer than a sentence bears.
fn quote(text: &str) -> String {
    // AWS may quote the request's Authorization header, which names the key and carries the signature.
    let text = text.split("Credential=").next().unwrap_or_default();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTE) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}
