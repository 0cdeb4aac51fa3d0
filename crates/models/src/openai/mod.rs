//! OpenAI's Responses, without streaming and without the provider's own memory: each request holds the whole conversation.

pub(crate) mod complaint;
pub(crate) mod reply;
mod request;

use agent::{ToolSpec, Turn};
use serde_json::{Map, Value};

use crate::call::Failure;
use crate::wire::{Answer, Call, Complaint, Own, Wire};

pub(crate) struct Responses;

impl Wire for Responses {
    fn path(&self, _model: &str) -> String {
        "/responses".to_owned()
    }

    fn key_header(&self) -> (&'static str, &'static str) {
        ("authorization", "Bearer ")
    }

    fn body(&self, call: &Call<'_>) -> Value {
        request::body(call)
    }

    fn tool(&self, tool: &ToolSpec) -> Value {
        request::tool(tool)
    }

    fn turn(&self, turns: &[Turn], at: usize, own: Own<'_>) -> Vec<Value> {
        request::items(turns, at, own)
    }

    fn read(&self, body: Map<String, Value>) -> Result<Answer, Failure> {
        reply::read(body)
    }

    fn complaint(&self, status: u16, body: &Value) -> Complaint {
        complaint::of(status, body)
    }
}
