//! Anthropic's Messages API, without streaming: one request, one answer, retried within the request's timeout.
//!
//! Only what is surely not charged is retried here. After an attempt whose answer was lost the call ends with an error that
//! says so in its `billed`: a retry would be a second charge under a reservation that was made for one.

mod bound;
mod exchange;
mod failure;
mod reply;
mod request;
mod setup;

use std::fmt;
use std::time::Duration;

use agent::{Model, ModelError, Reply, Request};
use async_trait::async_trait;
use domain::Money;
use reqwest::header::HeaderValue;
use reqwest::{Client, Url};
use tokio::time::{Instant, sleep, timeout_at};

use crate::catalogue::{self, ModelInfo};
use crate::retry::{self, Random};
use exchange::exchange;
use failure::Failure;

pub use setup::{Settings, SetupError};

/// The provider's own address.
pub const DEFAULT_BASE_URL: &str = "https://api.anthropic.com";

/// The longest that a call may take, and with it the longest that it is retried: as long as a job may take.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// One of Anthropic's models, ready to be asked by any number of tasks, which share its connections.
pub struct Anthropic {
    model: String,
    info: &'static ModelInfo,
    client: Client,
    url: Url,
    key: HeaderValue,
    random: Random,
}

impl fmt::Debug for Anthropic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Anthropic").field("model", &self.model).finish_non_exhaustive()
    }
}

impl Anthropic {
    /// Checks the settings and makes the client; sends nothing. A TLS provider must be installed before.
    /// `random` spreads the retries of many workers.
    pub fn new(settings: Settings, random: Random) -> Result<Anthropic, SetupError> {
        let info = catalogue::callable(&settings.model)?;
        let url = setup::endpoint(&settings.base_url)?;
        let key = setup::header(&settings.key)?;
        let client = setup::client(&url)?;
        Ok(Anthropic { model: settings.model, info, client, url, key, random })
    }

    async fn ask_until(
        &self,
        body: &[u8],
        max_output: u64,
        deadline: Instant,
        timeout: Duration,
    ) -> Result<Reply, ModelError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let exchange = exchange(&self.client, &self.url, &self.key, body, &self.model);
            let failure = match timeout_at(deadline, exchange).await {
                Ok(Ok(answer)) => return reply::read(&answer.body, answer.request_id, self.info, max_output),
                Ok(Err(failure)) => failure,
                // Whether the request had left is not known; the worse is assumed.
                Err(_) => return Err(ModelError::TimedOut { waited: timeout, billed: true }),
            };
            let (message, wait, give_up) = match failure {
                Failure::Final(error) => return Err(error),
                Failure::Lost { message } => {
                    let message =
                        format!("{message} (the answer is lost and may be charged); retry the job later");
                    return Err(ModelError::Unavailable { message, billed: true });
                }
                Failure::Passing { message, wait, give_up } => {
                    tracing::warn!(
                        model = self.model,
                        attempt,
                        message,
                        "the model's provider did not answer"
                    );
                    (message, wait, give_up)
                }
            };
            let pause = retry::pause(attempt, wait, (self.random)());
            let left = deadline.saturating_duration_since(Instant::now());
            if give_up || attempt >= retry::ATTEMPTS || pause >= left {
                let message = format!("{message} ({})", why(attempt, give_up, wait, left));
                return Err(ModelError::Unavailable { message, billed: false });
            }
            sleep(pause).await;
        }
    }
}

fn why(attempts: u32, give_up: bool, wait: Option<Duration>, left: Duration) -> String {
    let times = if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
    match wait {
        _ if give_up => format!("given up after {times}, as it says that more are of no use now"),
        Some(wait) if wait >= left => format!(
            "given up after {times}, as it wants to be left alone for {} ms and {} ms are left",
            wait.as_millis(),
            left.as_millis()
        ),
        _ => format!("given up after {times}; retry the job later"),
    }
}

#[async_trait]
impl Model for Anthropic {
    fn name(&self) -> &str {
        &self.model
    }

    fn input_bound(&self, request: &Request<'_>, known: Option<(usize, u64)>) -> u64 {
        bound::input(request, known)
    }

    fn worst_case(&self, input: u64, output: u64) -> Money {
        self.info.price(input).worst_case(input, output)
    }

    fn max_output(&self) -> u64 {
        self.info.max_output_tokens
    }

    async fn ask(&self, request: Request<'_>) -> Result<Reply, ModelError> {
        let deadline = Instant::now() + request.timeout.min(LONGEST);
        let max_output = request.max_output.clamp(1, self.info.max_output_tokens);
        let body = request::body(&self.model, &request, max_output).to_string();
        self.ask_until(body.as_bytes(), max_output, deadline, request.timeout).await
    }
}
