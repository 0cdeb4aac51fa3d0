//! The tools that a model may call. Each is one file: its description, and what it does.
//!
//! Whatever the model sends gets an answer in words that say what to do; only a broken workspace ends the job.

mod bash;
mod edit;
mod findings;
mod finish;
mod grep;
mod input;
mod read;

use std::time::Duration;

use domain::{Task, ToolCall};
use serde_json::{Value, json};

use crate::ToolSpec;
use crate::ports::{Workspace, WorkspaceError};
use crate::text::{plain, start};

use input::Input;

pub(crate) use edit::NAME as EDIT;
pub(crate) use finish::{HandedIn, NAME as FINISH, handed_in};
pub(crate) use read::is_binary;
pub use read::line_count;

/// What the model is told of a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// In words.
    pub output: String,
    /// Whether the call failed.
    pub is_error: bool,
    /// Whether the workspace may differ now.
    pub may_change: bool,
}

impl Answer {
    fn good(output: String) -> Answer {
        Answer { output, is_error: false, may_change: false }
    }

    fn bad(output: String) -> Answer {
        Answer { output, is_error: true, may_change: false }
    }
}

/// Why a tool has no good answer.
#[derive(Debug)]
pub(crate) enum ToolError {
    /// The model is told and goes on.
    Told(String),
    /// The job cannot go on.
    Broken(String),
}

impl From<WorkspaceError> for ToolError {
    fn from(error: WorkspaceError) -> ToolError {
        match error {
            WorkspaceError::Broken { message } => ToolError::Broken(message),
            told => ToolError::Told(plain(&told.to_string())),
        }
    }
}

impl From<String> for ToolError {
    fn from(message: String) -> ToolError {
        ToolError::Told(message)
    }
}

/// The tools for `task`, in an order that never changes.
pub(crate) fn specs(task: Task) -> Vec<ToolSpec> {
    if task.is_read_only() {
        vec![read::spec(), grep::spec(), finish::spec(task)]
    } else {
        vec![bash::spec(), edit::spec(), finish::spec(task)]
    }
}

/// What a call may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How long a command may run.
    pub command: Duration,
    /// Whether `finish` is refused when it names places that do not exist.
    pub looks_up: bool,
}

/// Carries `call` out. The error is the sentence of a broken workspace.
pub(crate) async fn carry_out(
    task: Task,
    call: &ToolCall,
    workspace: &dyn Workspace,
    bounds: Bounds,
) -> Result<Answer, String> {
    let tools = specs(task);
    if !tools.iter().any(|tool| tool.name == call.name) {
        let known: Vec<_> = tools.iter().map(|tool| tool.name).collect();
        let name = plain(start(&call.name, 60));
        return Ok(Answer::bad(format!("there is no tool {name:?}: call one of {}", known.join(", "))));
    }
    let input = Input { tool: &call.name, value: &call.input };
    let answer = match call.name.as_str() {
        bash::NAME => bash::run(input, workspace, bounds.command).await,
        edit::NAME => edit::run(input, workspace).await,
        read::NAME => read::run(input, workspace).await,
        grep::NAME => grep::run(input, workspace).await,
        _ => finish::run(input, task, workspace, bounds.looks_up).await,
    };
    match answer {
        Ok(answer) => Ok(answer),
        Err(ToolError::Told(message)) => Ok(Answer::bad(message)),
        Err(ToolError::Broken(message)) => Err(message),
    }
}

/// A schema of an object: (name, JSON type, whether it may be left out).
fn schema(fields: &[(&str, &str, bool)]) -> Value {
    let properties: serde_json::Map<String, Value> =
        fields.iter().map(|(name, kind, _)| ((*name).to_owned(), json!({ "type": kind }))).collect();
    let required: Vec<&str> = fields.iter().filter(|field| !field.2).map(|field| field.0).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}
