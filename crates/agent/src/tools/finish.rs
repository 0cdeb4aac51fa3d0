//! The model says that it is done: with a summary of its change, with the report that was asked for, or with findings.
//!
//! Places that a report or a finding names are looked up before it is accepted, once: the model may mend them, and what it
//! handed in counts all the same if it does not, or if nothing is left to do so with.

use domain::{Finding, Task};
use serde_json::{Value, json};

use super::findings::{self, FINDINGS};
use super::{Answer, Input, ToolError, schema};
use crate::ToolSpec;
use crate::ports::Workspace;
use crate::references::check_references;

pub(crate) const NAME: &str = "finish";
/// The most bytes of a summary, and of a report.
const SUMMARY_BYTES: usize = 10_000;
const REPORT_BYTES: usize = 100_000;
/// The most wrong places that the model is told of.
const TOLD: usize = 10;

/// What a finished job has to show, in the model's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HandedIn {
    pub summary: Option<String>,
    pub report: Option<String>,
    pub findings: Option<Vec<Finding>>,
}

pub(super) fn spec(task: Task) -> ToolSpec {
    let (description, schema) = match task {
        Task::Review => (
            "Call when you know enough: hands in the review. `line` is in the file as it is now, `start_line` the first of \
             several; `suggestion` replaces these lines word for word. No finding is a good review, too.",
            json!({
                "type": "object",
                "properties": {
                    "summary": { "type": "string" },
                    "findings": { "type": "array", "items": findings::schema() },
                },
                "required": ["summary", "findings"],
            }),
        ),
        _ if task.is_read_only() => (
            "Call when you know enough: hands in the whole report, in Markdown.",
            schema(&[("report", "string", false)]),
        ),
        _ => (
            "Call when the work is done, or cannot be done: what was wrong, what you changed, how you checked it.",
            schema(&[("summary", "string", false)]),
        ),
    };
    ToolSpec { name: NAME, description, schema }
}

/// Accepts what was handed in, or says what is wrong with it. `looks_up`: whether places that do not exist are a reason not to.
pub(super) async fn run(
    input: Input<'_>,
    task: Task,
    workspace: &dyn Workspace,
    looks_up: bool,
) -> Result<Answer, ToolError> {
    let handed_in = read(input, task)?;
    if looks_up {
        let mut missing = Vec::new();
        if let Some(report) = &handed_in.report {
            missing = check_references(report, workspace).await.map_err(ToolError::Broken)?.missing;
        }
        if let Some(found) = &handed_in.findings {
            missing = findings::missing(found, workspace).await.map_err(ToolError::Broken)?;
        }
        if !missing.is_empty() {
            missing.truncate(TOLD);
            let missing = missing.join("\n");
            let told = format!(
                "finish: not accepted yet, these places do not exist:\n{missing}\nMend them and call finish again."
            );
            return Err(told.into());
        }
    }
    Ok(Answer::good("done".to_owned()))
}

/// The words of a call that was accepted, or could have been.
pub(crate) fn handed_in(task: Task, input: &Value) -> Option<HandedIn> {
    read(Input { tool: NAME, value: input }, task).ok()
}

fn read(input: Input<'_>, task: Task) -> Result<HandedIn, String> {
    let text = |name: &str, most: usize| {
        let text = input.text(name)?;
        if text.trim().is_empty() {
            return Err(format!("finish: the {name} is empty: say what you did and found"));
        }
        if text.len() > most {
            return Err(format!(
                "finish: the {name} has {} bytes; at most {most} are taken: shorten it",
                text.len()
            ));
        }
        Ok(Some(text.to_owned()))
    };
    Ok(match task {
        Task::Review => HandedIn {
            summary: text("summary", SUMMARY_BYTES)?,
            findings: Some(findings::read(input.value.get(FINDINGS))?),
            ..HandedIn::default()
        },
        _ if task.is_read_only() => HandedIn { report: text("report", REPORT_BYTES)?, ..HandedIn::default() },
        _ => HandedIn { summary: text("summary", SUMMARY_BYTES)?, ..HandedIn::default() },
    })
}
