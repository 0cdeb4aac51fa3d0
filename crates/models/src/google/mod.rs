//! Google's generateContent, without streaming.

mod complaint;
mod reply;
mod request;

use agent::{ToolSpec, Turn};
use serde_json::{Map, Value};

use crate::call::Failure;
use crate::wire::{Answer, Call, Complaint, Own, Wire};

pub(crate) struct GenerateContent;

impl Wire for GenerateContent {
    fn path(&self, model: &str) -> String {
        format!("/v1beta/models/{model}:generateContent")
    }

    fn key_header(&self) -> (&'static str, &'static str) {
        ("x-goog-api-key", "")
    }

    fn body(&self, call: &Call<'_>) -> Value {
        request::body(call)
    }

    fn tool(&self, tool: &ToolSpec) -> Value {
        request::tool(tool)
    }

    fn turn(&self, turns: &[Turn], at: usize, own: Own<'_>) -> Vec<Value> {
        request::content(turns, at, own).into_iter().collect()
    }

    fn read(&self, body: Map<String, Value>) -> Result<Answer, Failure> {
        Ok(reply::read(body)?)
    }

    fn complaint(&self, status: u16, body: &Value) -> Complaint {
        complaint::of(status, body)
    }
}
