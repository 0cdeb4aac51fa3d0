//! What the loop asks of a model, whoever provides it.

use std::time::Duration;

use async_trait::async_trait;
use domain::{Money, Protocol, ToolCall, Usage};
use serde_json::Value;

/// A tool as it is described to the model.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// Its name: letters, digits and underscores.
    pub name: &'static str,
    /// What it does, in a sentence or two.
    pub description: &'static str,
    /// The JSON schema of its input.
    pub schema: Value,
}

/// One turn of the conversation, in no provider's form.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// What the worker says.
    User(String),
    /// What the model answered: `content` goes back unchanged to the model that it came from. Every other model is shown
    /// `text` and `tool_calls`: signatures and ids of one model mean nothing to another.
    Assistant {
        /// The protocol that `content` is written in.
        protocol: Protocol,
        /// The model that was asked; in journals that do not say so, the one that answered.
        model: String,
        /// The provider's own content, byte for byte what it sent as JSON.
        content: Value,
        /// The tools that it called.
        tool_calls: Vec<ToolCall>,
        /// What it said in words.
        text: String,
    },
    /// The answers to the last turn's tool calls, in their order: (call id, output, is an error).
    ToolResults(Vec<(String, String, bool)>),
}

/// One call to a model.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The instructions that stay the same for the whole job.
    pub system: &'a str,
    /// The tools that may be called. The same for the whole job, so that the prefix caches.
    pub tools: &'a [ToolSpec],
    /// The conversation so far; ends with a `User` or `ToolResults` turn.
    pub turns: &'a [Turn],
    /// The most tokens that the answer may have, reasoning included.
    pub max_output: u64,
    /// How long the call may take, retries included.
    pub timeout: Duration,
}

/// A model's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The protocol that `content` is written in.
    pub protocol: Protocol,
    /// The provider's content, to be sent back unchanged.
    pub content: Value,
    /// What it said in words.
    pub text: String,
    /// The tools that it wants carried out, in order.
    pub tool_calls: Vec<ToolCall>,
    /// Why it stopped.
    pub stop: Stop,
    /// What it used, in disjoint kinds.
    pub usage: Usage,
    /// What that costs.
    pub cost: Money,
    /// The model that answered, as it names itself.
    pub model: String,
    /// The provider's id of the request, for its support.
    pub request_id: Option<String>,
    /// The usage as the provider wrote it.
    pub raw_usage: Value,
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It said what it had to say.
    EndTurn,
    /// It waits for the results of its tool calls.
    ToolUse,
    /// It reached the bound on its output.
    MaxOutput,
    /// It declined.
    Refusal,
    /// The conversation is too long for it.
    ContextFull,
}

/// Why there is no answer. `billed` in the variants: whether the provider may have charged for the call.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A later attempt may succeed: overload, throttling, a provider's own error, a connection that broke.
    #[error("the model's provider did not answer: {message}")]
    #[allow(missing_docs)]
    Unavailable { message: String, billed: bool },
    /// It did not answer within the request's timeout.
    #[error("the model did not answer within {} ms", waited.as_millis())]
    #[allow(missing_docs)]
    TimedOut { waited: Duration, billed: bool },
    /// The account's money or limit is used up: it takes a person to change that.
    #[error("the model's provider refused: {message}")]
    #[allow(missing_docs)]
    OutOfMoney { message: String },
    /// The same request will never succeed: a bad key, a missing permission, an unknown model.
    #[error("the model's provider refused: {message}")]
    #[allow(missing_docs)]
    Refused { message: String },
    /// It answered, but with nothing that can be read.
    #[error("the model's answer cannot be read: {message}")]
    #[allow(missing_docs)]
    Malformed { message: String },
}

/// A model that can be asked.
#[async_trait]
pub trait Model: Send + Sync {
    /// Its name, as jobs and settings write it.
    fn name(&self) -> &str;

    /// An upper bound on the input tokens that `request` can count, whatever the provider's tokenizer does.
    ///
    /// `known` is what the provider counted for the longest prefix of `request` that it has already seen, if any:
    /// (number of turns in that prefix, its input and output tokens).
    fn input_bound(&self, request: &Request<'_>, known: Option<(usize, u64)>) -> u64;

    /// The most that a call with these bounds can cost.
    fn worst_case(&self, input: u64, output: u64) -> Money;

    /// The most output tokens that one answer of this model can have.
    fn max_output(&self) -> u64;

    /// Asks once. Within the request's timeout it retries what is surely not charged, and nothing else: an answer that was
    /// lost is an error with `billed`, for only one call is reserved.
    async fn ask(&self, request: Request<'_>) -> Result<Reply, ModelError>;

    /// The model to ask when this one cannot answer. None: there is no other.
    fn next(&self) -> Option<&dyn Model> {
        None
    }

    /// The model that was named and that this one is asked in place of, with the reason. None: this one was named.
    fn stands_in_for(&self) -> Option<(&str, String)> {
        None
    }
}
