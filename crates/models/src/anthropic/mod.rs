//! Anthropic's Messages, without streaming.

mod reply;
mod request;

use agent::{ToolSpec, Turn};
use serde_json::{Map, Value};

use crate::call::Failure;
use crate::wire::{Answer, Call, Cause, Complaint, Own, Wire};

/// Words by which the provider says that the money ran out, whatever status it gives (400, 402, 403 and 429 are seen).
const MONEY: [&str; 6] = [
    "credit balance",
    "billing",
    "spend limit",
    "spending limit",
    "specified api usage limits",
    "out of credits",
];

pub(crate) struct Messages;

impl Wire for Messages {
    fn path(&self, _model: &str) -> String {
        "/v1/messages".to_owned()
    }

    fn key_header(&self) -> (&'static str, &'static str) {
        ("x-api-key", "")
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }

    fn body(&self, call: &Call<'_>) -> Value {
        request::body(call)
    }

    fn tool(&self, tool: &ToolSpec) -> Value {
        request::tool(tool)
    }

    fn turn(&self, turns: &[Turn], at: usize, own: Own<'_>) -> Vec<Value> {
        request::message(turns, at, own).into_iter().collect()
    }

    fn read(&self, body: Map<String, Value>) -> Result<Answer, Failure> {
        Ok(reply::read(body)?)
    }

    fn complaint(&self, status: u16, body: &Value) -> Complaint {
        let error = &body["error"];
        let (Some(kind), Some(said)) = (error["type"].as_str(), error["message"].as_str()) else {
            return Complaint::default();
        };
        let cause = match said.to_lowercase() {
            _ if kind == "billing_error" => Cause::Money,
            said if is_money(status, &said) => Cause::Money,
            said if said.contains("too long") => Cause::Length,
            _ => Cause::Unknown,
        };
        Complaint { kind: kind.to_owned(), said: said.to_owned(), wait: None, cause }
    }
}

fn is_money(status: u16, said: &str) -> bool {
    (400..500).contains(&status) && MONEY.iter().any(|word| said.contains(word))
}
