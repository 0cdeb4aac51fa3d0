//! A model that says what a test wrote down, whoever asks: the answer is chosen by how much of the conversation stands.

use std::collections::VecDeque;
use std::sync::Mutex;

use agent::{Model, ModelError, Reply, Request, Stop, ToolSpec, Turn};
use async_trait::async_trait;
use domain::{Money, Price, Protocol, ToolCall, Usage};
use serde_json::{Value, json};

pub const PRICE: Price = Price {
    input: 1_000_000,
    cache_read: 100_000,
    cache_write_5m: 1_250_000,
    cache_write_1h: 2_000_000,
    output: 5_000_000,
};

/// One answer.
#[derive(Clone)]
pub struct Says {
    pub calls: Vec<(&'static str, Value)>,
    pub stop: Stop,
}

/// An answer that calls these tools.
pub fn calls(calls: &[(&'static str, Value)]) -> Says {
    Says { calls: calls.to_vec(), stop: Stop::ToolUse }
}

pub fn bash(command: &str) -> (&'static str, Value) {
    ("bash", json!({ "command": command }))
}

pub fn edit(path: &str, old: &str, new: &str) -> (&'static str, Value) {
    ("edit", json!({ "path": path, "old": old, "new": new }))
}

pub fn finish(summary: &str) -> (&'static str, Value) {
    ("finish", json!({ "summary": summary }))
}

/// The answers in their order; the last one is given for ever after.
pub struct Script {
    name: &'static str,
    next: Option<Box<Script>>,
    named: Option<&'static str>,
    answers: Vec<Says>,
    asked: Mutex<Vec<Vec<Turn>>>,
    stable: Mutex<Vec<(String, Vec<ToolSpec>)>>,
    fails: Mutex<VecDeque<ModelError>>,
}

impl Script {
    pub fn new(answers: Vec<Says>) -> Script {
        let (asked, stable, fails) = (Mutex::default(), Mutex::default(), Mutex::default());
        Script { name: "script", next: None, named: None, answers, asked, stable, fails }
    }

    /// With a name of its own.
    pub fn called(self, name: &'static str) -> Script {
        Script { name, ..self }
    }

    /// With another one that takes over from it.
    pub fn then(self, next: Script) -> Script {
        Script { next: Some(Box::new(next)), ..self }
    }

    /// In place of `named`, which is retired.
    pub fn in_place_of(self, named: &'static str) -> Script {
        Script { named: Some(named), ..self }
    }

    /// The one that takes over.
    pub fn successor(&self) -> &Script {
        self.next.as_ref().unwrap()
    }

    /// The next call that is not bound to fail yet does.
    pub fn fail(&self, error: ModelError) {
        self.fails.lock().unwrap().push_back(error);
    }

    /// Every conversation that it was shown, in the order of asking.
    pub fn asked(&self) -> Vec<Vec<Turn>> {
        self.asked.lock().unwrap().clone()
    }

    /// The instructions and tools of every request.
    pub fn stable(&self) -> Vec<(String, Vec<ToolSpec>)> {
        self.stable.lock().unwrap().clone()
    }
}

/// How many answers a conversation holds.
pub fn answers_in(turns: &[Turn]) -> usize {
    turns.iter().filter(|turn| matches!(turn, Turn::Assistant { .. })).count()
}

fn size(turns: &[Turn]) -> u64 {
    format!("{turns:?}").len() as u64
}

#[async_trait]
impl Model for Script {
    fn name(&self) -> &str {
        self.name
    }

    fn next(&self) -> Option<&dyn Model> {
        self.next.as_deref().map(|next| next as &dyn Model)
    }

    fn stands_in_for(&self) -> Option<(&str, String)> {
        self.named.map(|named| (named, format!("{named} is retired")))
    }

    fn input_bound(&self, request: &Request<'_>, known: Option<(usize, u64)>) -> u64 {
        let (turns, tokens) = known.unwrap_or((0, 0));
        assert!(turns <= request.turns.len(), "what is known is a prefix");
        tokens + size(&request.turns[turns..])
    }

    fn worst_case(&self, input: u64, output: u64) -> Money {
        PRICE.worst_case(input, output)
    }

    fn max_output(&self) -> u64 {
        4_000
    }

    async fn ask(&self, request: Request<'_>) -> Result<Reply, ModelError> {
        self.asked.lock().unwrap().push(request.turns.to_vec());
        self.stable.lock().unwrap().push((request.system.to_owned(), request.tools.to_vec()));
        if let Some(error) = self.fails.lock().unwrap().pop_front() {
            return Err(error);
        }
        let turn = answers_in(request.turns);
        let says = self.answers.get(turn).or(self.answers.last()).unwrap().clone();
        let tool_calls: Vec<ToolCall> = (0..)
            .zip(says.calls)
            .map(|(at, (name, input))| ToolCall { id: format!("{turn}-{at}"), name: name.to_owned(), input })
            .collect();
        let usage = Usage { uncached: size(request.turns) / 4, output: 100, ..Usage::default() };
        Ok(Reply {
            protocol: Protocol::AnthropicMessages,
            content: json!([{ "turn": turn }]),
            text: format!("answer {turn}"),
            tool_calls,
            stop: says.stop,
            usage,
            cost: PRICE.of(&usage),
            model: format!("{}-1", self.name),
            request_id: None,
            raw_usage: Value::Null,
        })
    }
}
