//! What one protocol is: pure functions between the port's words and a provider's. The HTTP around them is the same for all.

use agent::{ModelError, Request, Stop, ToolSpec, Turn};
use domain::{Protocol, ToolCall, Usage, family};
use serde_json::{Map, Value};

use crate::call::Failure;
use crate::{anthropic, chat, google, openai};

/// A call, as its body needs it.
pub(crate) struct Call<'a> {
    /// The model's name as its provider writes it.
    pub model: &'a str,
    /// Which turns go back unchanged.
    pub own: Own<'a>,
    pub request: &'a Request<'a>,
    pub max_output: u64,
}

/// Tells a model's own turns from those of others.
#[derive(Clone, Copy)]
pub(crate) struct Own<'a> {
    pub protocol: Protocol,
    /// The model's name as jobs and settings write it.
    pub name: &'a str,
}

impl Own<'_> {
    /// Whether turn `at` is an answer of this model. What a model signed, only the same model may see again.
    pub fn has(&self, turns: &[Turn], at: usize) -> bool {
        match turns.get(at) {
            Some(Turn::Assistant { protocol, model, .. }) => {
                *protocol == self.protocol && family(model) == family(self.name)
            }
            _ => false,
        }
    }
}

/// What an answer says, before it is priced.
#[derive(Debug)]
pub(crate) struct Answer {
    pub content: Value,
    pub text: String,
    pub tool_calls: Vec<ToolCall>,
    pub stop: Stop,
    pub usage: Usage,
    /// None where the protocol lets a server leave it out.
    pub model: Option<String>,
    pub request_id: Option<String>,
    pub raw_usage: Value,
}

/// What a provider's own error says. All empty: this is no error that the provider wrote.
#[derive(Debug, Default)]
pub(crate) struct Complaint {
    pub kind: String,
    pub said: String,
    /// How long it wants to be left alone, if the body says so.
    pub wait: Option<std::time::Duration>,
    pub cause: Cause,
}

/// What is known of an error's cause beyond its status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Nothing: the status decides.
    #[default]
    Unknown,
    /// The money or a limit that does not come back soon is used up.
    Money,
    /// The key is none.
    Key,
    /// The conversation is too long.
    Length,
}

/// One protocol.
pub(crate) trait Wire: Send + Sync {
    /// The path behind the base address.
    fn path(&self, model: &str) -> String;

    /// The header that carries the key, and what stands before the key in it.
    fn key_header(&self) -> (&'static str, &'static str);

    /// Headers that are the same for every call.
    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// The same bytes for the same call, so that the prefix caches.
    fn body(&self, call: &Call<'_>) -> Value;

    /// A tool as the body describes it.
    fn tool(&self, tool: &ToolSpec) -> Value;

    /// Turn `at` as the body has it: any number of messages or items.
    fn turn(&self, turns: &[Turn], at: usize, own: Own<'_>) -> Vec<Value>;

    /// Reads the JSON object of an answer with a status of success.
    fn read(&self, body: Map<String, Value>) -> Result<Answer, Failure>;

    /// Reads the JSON of an answer with another status.
    fn complaint(&self, status: u16, body: &Value) -> Complaint;
}

/// The functions of a protocol.
pub(crate) fn wire(protocol: Protocol) -> &'static dyn Wire {
    match protocol {
        Protocol::AnthropicMessages => &anthropic::Messages,
        Protocol::OpenaiResponses => &openai::Responses,
        Protocol::OpenaiChat => &chat::Completions,
        Protocol::GeminiGenerateContent => &google::GenerateContent,
    }
}

/// An answer with which nothing can be done.
pub(crate) fn malformed(message: impl Into<String>) -> ModelError {
    ModelError::Malformed { message: message.into() }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Failure {
        Failure::Final(error)
    }
}

/// A count that must be there.
pub(crate) fn required(raw: &Value, name: &str) -> Result<u64, ModelError> {
    raw[name].as_u64().ok_or_else(|| malformed(format!("its usage has no {name}")))
}

/// A count that is zero when it is missing or null.
pub(crate) fn optional(within: &Value, name: &str) -> Result<u64, ModelError> {
    match &within[name] {
        Value::Null => Ok(0),
        count => count.as_u64().ok_or_else(|| malformed(format!("its usage has no count as {name}"))),
    }
}

/// Replaces control characters at any depth, as [`domain::clean`] does.
pub(crate) fn clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = domain::clean(text),
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(fields) => {
            *fields = std::mem::take(fields)
                .into_iter()
                .map(|(name, mut value)| {
                    clean(&mut value);
                    (domain::clean(&name), value)
                })
                .collect();
        }
        _ => {}
    }
}
