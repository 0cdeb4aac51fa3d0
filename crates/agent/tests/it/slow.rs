//! A workspace and a model without substance that take their time, for tests in which time is not real.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use agent::{CommandResult, Exit, Model, ModelError, Reply, Request, Stop, Workspace, WorkspaceError};
use async_trait::async_trait;
use domain::{Money, Protocol, ToolCall, Usage};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::script::PRICE;

/// Nothing but time passes here.
pub struct Slow {
    /// What each command takes.
    pub takes: Duration,
    /// Whether it heeds its timeout.
    pub obeys: bool,
    /// What the changes are.
    pub diff: Result<String, WorkspaceError>,
}

#[async_trait]
impl Workspace for Slow {
    async fn run(&self, command: &str, timeout: Duration) -> Result<CommandResult, WorkspaceError> {
        let late = self.obeys && self.takes > timeout;
        sleep(if late { timeout } else { self.takes }).await;
        let exit = if late { Exit::TimedOut } else { Exit::Code(0) };
        Ok(CommandResult { output: command.repeat(100).into_bytes(), exit })
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, WorkspaceError> {
        Err(WorkspaceError::NotFound { path: path.to_owned() })
    }

    async fn write(&self, _: &str, _: &[u8]) -> Result<(), WorkspaceError> {
        Ok(())
    }

    async fn diff(&self) -> Result<String, WorkspaceError> {
        sleep(Duration::from_millis(100)).await;
        self.diff.clone()
    }

    async fn undo(&self, _: &str) -> Result<(), WorkspaceError> {
        Ok(())
    }

    async fn files(&self, _: usize) -> Result<Vec<String>, WorkspaceError> {
        Ok(vec![])
    }
}

/// Spends a share of all that it may, at the dearest price, and calls a tool for ever.
#[derive(Debug)]
pub struct Spender {
    /// Percent of the input that it announced.
    pub input: u64,
    /// Percent of the output that it is allowed.
    pub output: u64,
    /// What each answer takes.
    pub takes: Duration,
    /// Whether it heeds its timeout.
    pub obeys: bool,
    /// One in so many answers is lost; 0: none is.
    pub loses: u64,
    /// How often it was asked.
    pub asked: AtomicU64,
    /// The input that it announced last.
    pub announced: AtomicU64,
}

#[async_trait]
impl Model for Spender {
    fn name(&self) -> &str {
        "spender"
    }

    fn input_bound(&self, request: &Request<'_>, known: Option<(usize, u64)>) -> u64 {
        let (turns, tokens) = known.unwrap_or((0, 0));
        let bound = tokens + format!("{:?}", &request.turns[turns..]).len() as u64;
        self.announced.store(bound, Ordering::Relaxed);
        bound
    }

    fn worst_case(&self, input: u64, output: u64) -> Money {
        PRICE.worst_case(input, output)
    }

    fn max_output(&self) -> u64 {
        2_000
    }

    async fn ask(&self, request: Request<'_>) -> Result<Reply, ModelError> {
        if self.obeys && self.takes > request.timeout {
            sleep(request.timeout).await;
            return Err(ModelError::TimedOut { waited: request.timeout, billed: true });
        }
        sleep(self.takes).await;
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        if self.loses > 0 && asked.is_multiple_of(self.loses) {
            return Err(ModelError::Unavailable { message: "lost".to_owned(), billed: true });
        }
        let input = self.announced.load(Ordering::Relaxed) * self.input / 100;
        let usage = Usage {
            cache_write_1h: input,
            output: request.max_output * self.output / 100,
            ..Usage::default()
        };
        let turn = request.turns.len().to_string();
        let call = ToolCall { id: turn.clone(), name: "bash".to_owned(), input: json!({ "command": turn }) };
        Ok(Reply {
            protocol: Protocol::AnthropicMessages,
            content: json!("x".repeat(300)),
            text: String::new(),
            tool_calls: vec![call],
            stop: Stop::ToolUse,
            usage,
            cost: PRICE.of(&usage),
            model: "spender".to_owned(),
            request_id: None,
            raw_usage: Value::Null,
        })
    }
}
