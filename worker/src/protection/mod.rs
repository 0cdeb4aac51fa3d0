//! Task scale-in protection: on ECS a worker holds no job unless its task is protected from being scaled in.
//!
//! What may surprise: it is kept from one claim to the next, so that a row of jobs costs two calls and not two each, and a
//! worker that is refused does not ask again before it has reason to claim. It never outlives a lost worker by more than
//! PROTECTION_MINUTES, because it ends by itself.

mod agent;
mod plan;

use std::time::Duration;

use clap::Args;
use rand::RngExt;
use service::exit::one_line;
use tokio::time::{Instant, sleep_until};

use agent::{AgentError, Endpoint};
use plan::Known;

pub use agent::SetupError;

/// Where protection is asked for, and for how long at a time.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Settings {
    /// Where the ECS agent is asked to protect the task from scale-in; ECS sets it. Without it nothing is asked [default: none].
    #[arg(long, env = "ECS_AGENT_URI")]
    ecs_agent_uri: Option<String>,
    /// Minutes for which protection is asked at a time, 1 to 2880; it is renewed after a third of them.
    #[arg(long, env = "PROTECTION_MINUTES", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=2_880))]
    protection_minutes: u32,
}

/// The protection of the task that this worker is.
pub enum Protection {
    /// No ECS, no scale-in from outside: jobs may always be claimed.
    NotOnEcs,
    /// The ECS agent is asked.
    Agent(Box<Agent>),
}

/// A worker's side of the agent's endpoint.
pub struct Agent {
    endpoint: Endpoint,
    minutes: u32,
    known: Known,
    /// The refusal that was logged last: each is said once, not at each try.
    said: Option<String>,
}

impl Protection {
    /// As the settings say. Asks for nothing yet. A TLS provider must be installed before.
    pub fn new(settings: &Settings) -> Result<Protection, SetupError> {
        let uri = settings.ecs_agent_uri.as_deref().map(str::trim).filter(|uri| !uri.is_empty());
        let Some(uri) = uri else { return Ok(Protection::NotOnEcs) };
        let minutes = settings.protection_minutes;
        let known = Known::nothing(Duration::from_secs(60) * minutes);
        let endpoint = Endpoint::new(uri)?;
        Ok(Protection::Agent(Box::new(Agent { endpoint, minutes, known, said: None })))
    }

    /// Whether a job may be claimed now. Asks for protection when it is not there or a third of it is over, and does not ask
    /// while a refusal is fresh. May be dropped: the task may then be protected, and `lift` ends that.
    pub async fn put_up(&mut self) -> bool {
        let Protection::Agent(agent) = self else { return true };
        let now = Instant::now();
        if agent.known.ask_at(now) <= now {
            agent.protect().await;
        }
        agent.known.holds(Instant::now())
    }

    /// Does `work` and keeps the protection up meanwhile.
    pub async fn keep_during<T>(&mut self, work: impl Future<Output = T>) -> T {
        match self {
            Protection::NotOnEcs => work.await,
            Protection::Agent(agent) => {
                tokio::select! {
                    done = work => done,
                    never = agent.keep() => match never {},
                }
            }
        }
    }

    /// Ends the protection, unless there is none. Only for who holds no job. A failure is logged and does no harm: it is tried
    /// again by `lift_meanwhile`, and protection ends by itself.
    pub async fn lift(&mut self) {
        let Protection::Agent(agent) = self else { return };
        let now = Instant::now();
        if agent.known.lift_at(now).is_some_and(|at| at <= now) {
            agent.unprotect().await;
        }
    }

    /// Goes on trying to end what `lift` could not end. Never returns; may be dropped.
    pub async fn lift_meanwhile(&mut self) {
        if let Protection::Agent(agent) = self {
            while let Some(at) = agent.known.lift_at(Instant::now()) {
                sleep_until(at).await;
                agent.unprotect().await;
            }
        }
        std::future::pending().await
    }

    /// How long the agent wants to be left alone before `put_up` can help.
    pub fn quiet(&self) -> Duration {
        match self {
            Protection::NotOnEcs => Duration::ZERO,
            Protection::Agent(agent) => {
                let now = Instant::now();
                if agent.known.holds(now) {
                    return Duration::ZERO;
                }
                agent.known.ask_at(now).saturating_duration_since(now)
            }
        }
    }
}

impl Agent {
    async fn keep(&mut self) -> std::convert::Infallible {
        loop {
            sleep_until(self.known.ask_at(Instant::now())).await;
            self.protect().await;
        }
    }

    async fn protect(&mut self) {
        let sent = Instant::now();
        self.known.asking(sent);
        match self.endpoint.protect(self.minutes).await {
            Ok(()) => {
                if self.said.take().is_some() {
                    tracing::info!("the ECS agent protects the task again");
                }
                self.known.granted(sent);
            }
            Err(error) => {
                if matches!(error, AgentError::Contradicted { .. }) {
                    self.known.contradicted();
                }
                self.known.refused(Instant::now(), chance(), error.is_definite());
                self.say(
                    "the task cannot be protected from scale-in, and no job is claimed without that",
                    &error,
                );
            }
        }
    }

    async fn unprotect(&mut self) {
        self.known.lifting();
        match self.endpoint.unprotect().await {
            Ok(()) => self.known.lifted(),
            Err(error) => {
                self.known.not_lifted(Instant::now(), chance());
                self.say(
                    "the task's protection from scale-in cannot be ended, and ends by itself later",
                    &error,
                );
            }
        }
    }

    fn say(&mut self, what: &str, error: &AgentError) {
        let why = format!("{what}; it is tried again: {}", one_line(error));
        if self.said.as_ref() != Some(&why) {
            tracing::warn!("{why}");
            self.said = Some(why);
        }
    }
}

fn chance() -> f64 {
    rand::rng().random_range(0.0..1.0)
}
