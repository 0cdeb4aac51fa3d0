//! The four protocols, and what each of them has to say for itself. All that they share is in `conversation`.

use axum::http::HeaderMap;
use serde_json::Value;

use crate::chat::Chat;
use crate::conversation::Answer;
use crate::count::Count;
use crate::gemini::Gemini;
use crate::messages::Messages;
use crate::refusal::Refusal;
use crate::responses::Responses;
use crate::script::{Block, Turn};

/// A protocol that a rehearsal speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Anthropic's Messages: `POST /v1/messages`.
    Messages,
    /// OpenAI's Responses: `POST /v1/responses`.
    Responses,
    /// Chat completions, as OpenAI and many servers of one's own speak them: `POST /v1/chat/completions`.
    Chat,
    /// Google's generateContent: `POST /v1beta/models/MODEL:generateContent`.
    Gemini,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Protocol; 4] =
        [Protocol::Messages, Protocol::Responses, Protocol::Chat, Protocol::Gemini];

    pub(crate) fn wire(self) -> &'static dyn Wire {
        match self {
            Protocol::Messages => &Messages,
            Protocol::Responses => &Responses,
            Protocol::Chat => &Chat,
            Protocol::Gemini => &Gemini,
        }
    }
}

/// A request, in no provider's words.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The model that is asked.
    pub model: String,
    /// The most tokens that the answer may have.
    pub max_output: u64,
    /// The names of the tools that are offered.
    pub tools: Vec<String>,
    /// What the caller said first, in words.
    pub opening: String,
    /// The conversation, in turns: never two of the same side in a row.
    pub turns: Vec<Heard>,
    /// What is counted, in its order; the first part is all that stands before the conversation.
    pub parts: Vec<Part>,
    /// Whether the answer brings something of its thoughts that must come back.
    pub thinks: bool,
}

/// One side's turn in a request.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The caller's, with the results of tool calls in it.
    Caller {
        /// In their order.
        results: Vec<Given>,
    },
    /// The model's, as it is sent back.
    Model {
        /// Where it stands, for messages.
        at: String,
        /// The pieces that it is made of.
        items: Vec<Value>,
    },
}

/// A tool's result that the caller gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// The id of the call. None: the protocol lets the caller leave it out.
    pub id: Option<String>,
    /// The tool's name, where the protocol has it there.
    pub name: Option<String>,
}

/// A tool call in what the model said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub id: String,
    pub name: String,
}

/// A part of a request that is counted.
#[derive(Debug)]
pub(crate) struct Part {
    pub value: Value,
    /// Whether the prefix up to its end is to be cached. None: the provider caches by itself.
    pub marked: Option<bool>,
}

impl Part {
    /// A part of a request to a provider that caches by itself.
    pub fn plain(value: Value) -> Part {
        Part { value, marked: None }
    }
}

/// What is particular to a protocol. Pure.
pub(crate) trait Wire: Sync {
    /// The header under which the provider names a request.
    fn request_id_header(&self) -> &'static str;

    /// Sees that there is a key where one is needed.
    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal>;

    /// Reads a request. `path`: what the address says beyond the endpoint.
    fn read(&self, path: &str, request: &Value) -> Result<Asked, Refusal>;

    /// What is served as turn number `number` (1 for the first) in answer to such a request: the same each time.
    fn content(&self, turn: &Turn, number: usize, asked: &Asked) -> Vec<Value>;

    /// How content comes back in the next request.
    fn sent_back(&self, content: Vec<Value>) -> Vec<Value> {
        content
    }

    /// The tool calls in what was sent back.
    fn calls(&self, items: &[Value]) -> Vec<Call>;

    /// The tokens of `content` that were thoughts.
    fn thoughts(&self, content: &[Value]) -> u64;

    /// The answer's body. `number` names it.
    fn answer(&self, answer: &Answer, count: &Count, number: u64) -> Value;

    /// The body of a refusal.
    fn refusal(&self, refusal: &Refusal, request_id: &str) -> Value;

    /// What the provider says of a model's turn that lost what must come back. None: it is another difference.
    fn lost(&self, at: &str, items: &[Value], served: &[Value]) -> Option<String>;

    /// The blocks of a turn that another provider's model said, if it is one: it bears nothing that was served here.
    fn foreign(&self, items: &[Value], asked: &Asked) -> Option<Vec<Block>>;

    /// What the provider says when calls have no results right after them.
    fn unanswered(&self, at: &str, missing: &[String]) -> String;
}
