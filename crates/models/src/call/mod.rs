//! One model, called over HTTP: retried within the call's time, through the gate that all calls to its provider share.
//!
//! Only what is surely not charged is retried here. After an attempt whose answer was lost the call ends with an error that
//! says so in its `billed`: a retry would be a second charge under a reservation that was made for one.

mod breaker;
mod exchange;
mod failure;
mod gate;
pub(crate) mod hints;
mod price;
mod retry;

use std::time::Duration;

use agent::{ModelError, Reply, Request};
use secrecy::SecretString;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use crate::account::Account;
use crate::catalogue::ModelInfo;
use crate::setup::Outside;
use crate::wire::{Call, Own, Wire, malformed, wire};
use breaker::Outcome;
use exchange::{Address, Heard, exchange};

pub(crate) use failure::Failure;
pub(crate) use gate::Gate;
pub(crate) use retry::Patience;
pub use retry::{Now, Random};

/// The longest that a call may take, and with it the longest that it is retried: as long as a job may take.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// One model, ready to be asked.
pub(crate) struct Adapter {
    /// As jobs and settings write it.
    pub name: String,
    pub info: ModelInfo,
    address: Address,
    account: std::sync::Arc<Account>,
    outside: Outside,
}

impl Adapter {
    /// Sends nothing.
    pub fn new(
        name: String,
        info: ModelInfo,
        account: std::sync::Arc<Account>,
        outside: Outside,
    ) -> Result<Adapter, crate::SetupError> {
        let wire = wire(info.protocol());
        let address = Address {
            client: account.client()?,
            url: account.url(&wire.path(info.name_at_provider(&name)))?,
            key_header: wire.key_header(),
            headers: wire.headers(),
        };
        Ok(Adapter { name, info, address, account, outside })
    }

    pub fn wire(&self) -> &'static dyn Wire {
        wire(self.info.protocol())
    }

    pub fn own(&self) -> Own<'_> {
        Own { protocol: self.info.protocol(), name: &self.name }
    }

    /// Asks once, as patiently as that.
    pub async fn ask(&self, request: Request<'_>, patience: Patience) -> Result<Reply, ModelError> {
        let time = patience.time(request.timeout).min(LONGEST);
        let deadline = Instant::now() + time;
        let max_output = request.max_output.clamp(1, self.info.max_output_tokens);
        let model = self.info.name_at_provider(&self.name);
        let call = Call { model, own: self.own(), request: &request, max_output };
        let body = self.wire().body(&call).to_string();
        self.wait_for_gate(deadline, patience).await?;
        let (mut attempt, mut looked) = (0, false);
        loop {
            attempt += 1;
            self.wait_for_turn(deadline).await?;
            let key = self.account.key();
            let sent = self.attempt(key.as_ref(), body.as_bytes(), max_output);
            let failure = match timeout_at(deadline, sent).await {
                Ok(Ok(reply)) => return Ok(reply),
                Ok(Err(failure)) => failure,
                // Whether the request had left is not known; the worse is assumed.
                Err(_) => {
                    self.account.gate.note(Outcome::Failed);
                    return Err(ModelError::TimedOut { waited: time, billed: true });
                }
            };
            let (message, wait, give_up) = match failure {
                Failure::Final(error) => return Err(error),
                Failure::Key { message } => {
                    let is_first = !std::mem::replace(&mut looked, true);
                    if is_first && timeout_at(deadline, self.change_key(key)).await.unwrap_or(false) {
                        continue;
                    }
                    return Err(ModelError::Refused { message });
                }
                Failure::Lost { message } => {
                    let message =
                        format!("{message} (the answer is lost and may be charged); retry the job later");
                    return Err(ModelError::Unavailable { message, billed: true });
                }
                Failure::Passing { message, wait, give_up } => {
                    tracing::warn!(
                        model = self.name,
                        attempt,
                        message,
                        "the model's provider did not answer"
                    );
                    (message, wait, give_up)
                }
            };
            let pause = retry::pause(attempt, wait, (self.outside.random)());
            let left = deadline.saturating_duration_since(Instant::now());
            let bound = left.min(patience.longest_pause);
            if give_up || attempt >= patience.attempts || pause >= bound {
                let message = format!("{message} ({})", why(attempt, give_up, wait, bound));
                return Err(ModelError::Unavailable { message, billed: false });
            }
            sleep(pause).await;
        }
    }

    /// One attempt, of which the gate learns.
    async fn attempt(
        &self,
        key: Option<&SecretString>,
        body: &[u8],
        max_output: u64,
    ) -> Result<Reply, Failure> {
        let result = self.exchange(key, body, max_output).await;
        self.account.gate.note(match &result {
            Ok(_) | Err(Failure::Final(_) | Failure::Key { .. }) => Outcome::Answered,
            Err(Failure::Passing { wait: Some(wait), .. }) => Outcome::Throttled(*wait),
            Err(Failure::Passing { .. } | Failure::Lost { .. }) => Outcome::Failed,
        });
        result
    }

    async fn exchange(
        &self,
        key: Option<&SecretString>,
        body: &[u8],
        max_output: u64,
    ) -> Result<Reply, Failure> {
        let Heard { status, headers, body } = exchange(&self.address, key, body).await?;
        if !status.is_success() {
            let who = (self.info.name_at_provider(&self.name), self.account.names());
            return Err(failure::of(self.wire(), (status, &headers, &body), who, (self.outside.now)()));
        }
        let body: Value =
            serde_json::from_slice(&body).map_err(|error| malformed(format!("it is not JSON: {error}")))?;
        let Value::Object(body) = body else { return Err(malformed("it is no JSON object").into()) };
        let mut answer = self.wire().read(body)?;
        answer.request_id = hints::request_id(&headers).map(str::to_owned).or(answer.request_id);
        Ok(price::reply(answer, &self.info, self.own(), max_output)?)
    }

    /// Looks for another key than the one that was refused. Whether there is one, for all calls from now on.
    async fn change_key(&self, refused: Option<SecretString>) -> bool {
        let (find, provider) = (self.outside.another_key.clone(), self.account.provider);
        let Some(refused) = refused else { return false };
        let found = tokio::task::spawn_blocking(move || find(provider, &refused)).await;
        found.ok().flatten().is_some_and(|key| self.account.change_key(key).is_ok())
    }

    /// Waits while the gate is shut, if that is worth it.
    async fn wait_for_gate(&self, deadline: Instant, patience: Patience) -> Result<(), ModelError> {
        while let Err(wait) = self.account.gate.pass() {
            let left = deadline.saturating_duration_since(Instant::now());
            if wait >= left.min(patience.longest_pause) {
                let message = format!(
                    "{} has failed for other calls and is left alone for {} ms more",
                    self.info.provider.as_str(),
                    wait.as_millis()
                );
                return Err(ModelError::Unavailable { message, billed: false });
            }
            sleep(wait).await;
        }
        Ok(())
    }

    /// Waits for the rate that all calls of this process share.
    async fn wait_for_turn(&self, deadline: Instant) -> Result<(), ModelError> {
        while let Err(wait) = self.account.gate.take() {
            if wait >= deadline.saturating_duration_since(Instant::now()) {
                let message = "too many of this process's calls are before this one".to_owned();
                return Err(ModelError::Unavailable { message, billed: false });
            }
            sleep(wait).await;
        }
        Ok(())
    }
}

fn why(attempts: u32, give_up: bool, wait: Option<Duration>, bound: Duration) -> String {
    let times = if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
    match wait {
        _ if give_up => format!("given up after {times}, as it says that more are of no use now"),
        Some(wait) if wait >= bound => format!(
            "given up after {times}, as it wants to be left alone for {} ms and {} ms are left",
            wait.as_millis(),
            bound.as_millis()
        ),
        _ => format!("given up after {times}; retry the job later"),
    }
}
