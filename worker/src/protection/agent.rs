//! The ECS agent's endpoint for task scale-in protection. One question, one answer; it retries nothing and remembers nothing.

use std::time::Duration;

use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};

/// The agent runs on the task's own host: a connection is made at once, or something is wrong.
const CONNECT: Duration = Duration::from_secs(2);
/// For the whole exchange. The agent asks ECS before it answers, and says so itself when ECS takes too long.
const ANSWER: Duration = Duration::from_secs(10);
/// Characters of an answer that nobody understands which are worth repeating.
const QUOTED: usize = 200;

/// Why the agent's endpoint cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum SetupError {
    #[error(
        "ECS_AGENT_URI is no address: ECS sets it in its containers, so leave it alone there and out everywhere else"
    )]
    Uri,
    #[error("the HTTP client for the ECS agent cannot be made")]
    Client(#[source] reqwest::Error),
}

/// Why the agent did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum AgentError {
    #[error("the ECS agent does not answer")]
    Silent(#[source] reqwest::Error),
    #[error("the ECS agent answers {status} with what is no answer to this: {text}")]
    Unreadable { status: u16, text: String },
    /// What ECS itself has against it.
    #[error("ECS refuses it: {reason}{}", hint(.reason))]
    Refused { reason: String, status: u16 },
    /// ECS took the question and says the opposite.
    #[error("ECS says that the task is {} protected", if *.protected { "still" } else { "not" })]
    Contradicted { protected: bool },
}

impl AgentError {
    /// Whether it is certain that ECS did not do what was asked. Above status 500 the agent itself may have lost the answer.
    pub fn is_definite(&self) -> bool {
        match self {
            AgentError::Silent(_) | AgentError::Unreadable { .. } => false,
            AgentError::Refused { status, .. } => *status < 500,
            AgentError::Contradicted { .. } => true,
        }
    }
}

/// What a person can do about the commonest refusals.
fn hint(reason: &str) -> &'static str {
    if reason.starts_with("AccessDenied") {
        " (allow the task's role ecs:UpdateTaskProtection)"
    } else if reason.starts_with("TASK_NOT_VALID") {
        " (run the worker as a task of an ECS service: others cannot be protected)"
    } else if reason.starts_with("DEPLOYMENT_BLOCKED") {
        " (a deployment waits for tasks that are protected; it passes when they have finished)"
    } else {
        ""
    }
}

/// The endpoint of the task that this process runs in.
#[derive(Clone, Debug)]
pub struct Endpoint {
    client: Client,
    url: Url,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Question {
    protection_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in_minutes: Option<u32>,
}

/// One of the three is there.
#[derive(Deserialize)]
struct Answer {
    protection: Option<Protected>,
    failure: Option<Failure>,
    error: Option<Exception>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Protected {
    protection_enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    reason: Option<String>,
    detail: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Exception {
    code: Option<String>,
    message: Option<String>,
}

impl Endpoint {
    /// `uri` is what ECS calls ECS_AGENT_URI. Sends nothing.
    pub fn new(uri: &str) -> Result<Endpoint, SetupError> {
        let uri = uri.trim().trim_end_matches('/');
        let is_address = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        Url::parse(uri).ok().filter(is_address).ok_or(SetupError::Uri)?;
        let url = Url::parse(&format!("{uri}/task-protection/v1/state")).map_err(|_| SetupError::Uri)?;
        let client = Client::builder()
            .no_proxy() // the agent is on this host's own network
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .build()
            .map_err(SetupError::Client)?;
        Ok(Endpoint { client, url })
    }

    /// Asks for protection for so many minutes, from 1 to 2,880.
    pub async fn protect(&self, minutes: u32) -> Result<(), AgentError> {
        self.ask(Question { protection_enabled: true, expires_in_minutes: Some(minutes) }).await
    }

    /// Asks for its end.
    pub async fn unprotect(&self) -> Result<(), AgentError> {
        self.ask(Question { protection_enabled: false, expires_in_minutes: None }).await
    }

    async fn ask(&self, question: Question) -> Result<(), AgentError> {
        let sent = self.client.put(self.url.clone()).json(&question).send().await;
        let response = sent.map_err(AgentError::Silent)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(AgentError::Silent)?;
        judge(status, &body, question.protection_enabled)
    }
}

/// What an answer means to somebody who asked for the task to be protected, or not to be.
fn judge(status: u16, body: &[u8], wanted: bool) -> Result<(), AgentError> {
    let unreadable = || {
        let text = String::from_utf8_lossy(body).split_whitespace().collect::<Vec<_>>().join(" ");
        AgentError::Unreadable { status, text: text.chars().take(QUOTED).collect() }
    };
    let refused = |first: Option<String>, then: Option<String>| {
        let said = [first, then].into_iter().flatten().filter(|part| !part.is_empty());
        AgentError::Refused { reason: said.collect::<Vec<_>>().join(": "), status }
    };
    let answer: Answer = serde_json::from_slice(body).map_err(|_| unreadable())?;
    match answer {
        Answer { error: Some(error), .. } => Err(refused(error.code, error.message)),
        Answer { failure: Some(failure), .. } => Err(refused(failure.reason, failure.detail)),
        Answer { protection: Some(now), .. } if now.protection_enabled == wanted => Ok(()),
        Answer { protection: Some(now), .. } => {
            Err(AgentError::Contradicted { protected: now.protection_enabled })
        }
        _ => Err(unreadable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str, wanted: bool) -> Result<(), String> {
        judge(status, body.as_bytes(), wanted).map_err(|error| error.to_string())
    }

    #[test]
    fn what_ecs_says_is_taken_by_its_word() {
        let on = r#"{"protection":{"ExpirationDate":"2026-11-01T00:15:00Z","ProtectionEnabled":true,"TaskArn":"arn:t"}}"#;
        let off = r#"{"protection":{"ExpirationDate":null,"ProtectionEnabled":false,"TaskArn":"arn:t"}}"#;
        assert_eq!((said(200, on, true), said(200, off, false)), (Ok(()), Ok(())));
        assert_eq!(said(200, off, true).unwrap_err(), "ECS says that the task is not protected");
        assert_eq!(said(200, on, false).unwrap_err(), "ECS says that the task is still protected");
    }

    #[test]
    fn refusals_are_repeated_with_what_to_do() {
        // A failure comes with status 200.
        let failure = r#"{"failure":{"Arn":"arn:t","Detail":null,"Reason":"TASK_NOT_VALID"}}"#;
        let error = said(200, failure, true).unwrap_err();
        assert!(error.starts_with("ECS refuses it: TASK_NOT_VALID (run the worker as a task of"), "{error}");
        let denied = r#"{"requestID":"1","error":{"Arn":"arn:t","Code":"AccessDeniedException","Message":"no policy allows it"}}"#;
        let error = said(400, denied, true).unwrap_err();
        assert!(
            error.contains("AccessDeniedException: no policy allows it (allow the task's role"),
            "{error}"
        );
        assert!(judge(400, denied.as_bytes(), true).unwrap_err().is_definite());
        assert!(!judge(504, denied.as_bytes(), true).unwrap_err().is_definite());
    }

    #[test]
    fn what_is_no_answer_is_quoted_in_part() {
        for (body, quoted) in
            [("<html>\n 502", "502 with what is no answer to this: <html> 502"), ("{}", "{}")]
        {
            let error = said(502, body, true).unwrap_err();
            assert!(error.ends_with(quoted), "{error}");
        }
        assert!(said(500, &"x".repeat(9_999), true).unwrap_err().len() < 300);
    }

    #[test]
    fn an_address_is_an_address() {
        service::tls::install_default();
        let endpoint = Endpoint::new("http://169.254.170.2/api/abc/").unwrap();
        assert_eq!(endpoint.url.as_str(), "http://169.254.170.2/api/abc/task-protection/v1/state");
        for wrong in ["169.254.170.2/api", "file:///etc", "http://"] {
            assert!(matches!(Endpoint::new(wrong), Err(SetupError::Uri)), "{wrong}");
        }
    }
}
