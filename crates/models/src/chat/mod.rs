//! Chat completions, for any server that speaks OpenAI's older protocol: a model on one's own machine, or a gateway.
//!
//! Such servers differ. So only what all of them know is sent, and what they may leave out (ids, the model's name) is done
//! without. Counts they must give: nothing could be held to a cap without.

mod reply;
mod request;

use agent::{ToolSpec, Turn};
use serde_json::{Map, Value};

use crate::call::Failure;
use crate::openai::complaint;
use crate::wire::{Answer, Call, Complaint, Own, Wire};

pub(crate) struct Completions;

impl Wire for Completions {
    fn path(&self, _model: &str) -> String {
        "/chat/completions".to_owned()
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
        request::messages(turns, at, own)
    }

    fn read(&self, body: Map<String, Value>) -> Result<Answer, Failure> {
        Ok(reply::read(body)?)
    }

    fn complaint(&self, status: u16, body: &Value) -> Complaint {
        complaint::of(status, body)
    }
}
