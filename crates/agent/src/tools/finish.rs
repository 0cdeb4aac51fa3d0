//! The model says that it is done: with a summary of its change, or with the report that was asked for.

use domain::Task;
use serde_json::Value;

use super::{Answer, Input, ToolError, schema};
use crate::ToolSpec;

pub(crate) const NAME: &str = "finish";

pub(super) fn spec_of_summary() -> ToolSpec {
    ToolSpec {
        name: NAME,
        description: "Call when the work is done, or cannot be done: what was wrong, what you changed, how you checked it.",
        schema: schema(&[("summary", "string", false)]),
    }
}

pub(super) fn spec_of_report() -> ToolSpec {
    ToolSpec {
        name: NAME,
        description: "Call when you know enough: hands in the whole report, in Markdown.",
        schema: schema(&[("report", "string", false)]),
    }
}

fn argument(task: Task) -> &'static str {
    if task.is_read_only() { "report" } else { "summary" }
}

pub(super) fn run(input: Input<'_>, task: Task) -> Result<Answer, ToolError> {
    let argument = argument(task);
    if input.text(argument)?.trim().is_empty() {
        return Err(format!("finish: the {argument} is empty: say what you did and found").into());
    }
    Ok(Answer::good("done".to_owned()))
}

/// The words of an accepted call.
pub(crate) fn words(task: Task, input: &Value) -> Option<&str> {
    input.get(argument(task)).and_then(Value::as_str)
}
