//! `show`: everything about one job.

use domain::{Event, EventRecord};
use jiff::Timestamp;
use serde_json::json;
use store::{CallRow, JobRow};

use super::logs::all;
use super::outcome::JobResult;
use crate::args::ShowArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};
use crate::view::diff;
use crate::view::number::age;
use crate::view::table::table;
use crate::view::text::{address, one_line, short};
use crate::view::why::why;

pub async fn execute(context: &Context, args: ShowArgs) -> Result<(), CliError> {
    Access::with(context, "show", Absent::Refuse, async |access| {
        let database = &access.database;
        let id = database.find_job(&args.id).await?;
        let (job, calls, events) =
            (database.job(id).await?, database.calls(id).await?, all(database, id).await?);
        let result = JobResult::of(&job, &events);
        if context.json {
            out::json(&json!({"job": job, "calls": calls, "result": result}));
        } else if args.result {
            result.print();
        } else {
            out::line(&shown(&job, &calls, &events, &result, Timestamp::now()));
        }
        Ok(())
    })
    .await
}

fn shown(
    job: &JobRow,
    calls: &[CallRow],
    events: &[EventRecord],
    result: &JobResult,
    now: Timestamp,
) -> String {
    let ago = |at: Timestamp| format!("{at:.0} ({} ago)", age(at, now));
    let line = |text: &String| one_line(text, 2_000);
    let facts: [(&str, Option<String>); 22] = [
        ("job", Some(job.id.to_string())),
        ("state", Some(format!("{}: {}", job.state, why(job)))),
        ("error", job.error.as_ref().map(line)),
        ("fingerprint", job.fingerprint.as_ref().map(line)),
        ("seen by", job.acknowledged_by.as_ref().map(line)),
        ("outcome", job.outcome.map(|outcome| outcome.to_string())),
        ("task", Some(format!("{} for a {}", job.task, job.mode))),
        ("prompt", Some(one_line(&job.prompt, 500))),
        ("repo", Some(address(&job.repo))),
        ("base", job.base.as_ref().map(line)),
        ("head", job.head.as_ref().map(line)),
        ("set-up", job.setup_command.as_ref().map(line)),
        ("tests", job.test_command.as_ref().map(line)),
        ("goes to", job.delivery.map(|delivery| delivery.to_string())),
        ("asked for", job.model.as_ref().map(line)),
        ("submitted", Some(ago(job.created_at))),
        ("claimed", job.started_at.map(|at| format!("{}, attempt {}", ago(at), job.attempt))),
        ("worker", job.worker.map(|worker| short(&worker))),
        ("ended", job.finished_at.map(ago)),
        ("summary", result.summary.as_ref().map(line)),
        ("result", size(job, result)),
        (
            "published",
            Some(result.published.join(", ")).filter(|places| !places.is_empty()).as_ref().map(line),
        ),
    ];
    let mut text: String = facts
        .iter()
        .filter_map(|(name, fact)| fact.as_ref().map(|fact| format!("{name:<12}{fact}\n")))
        .collect();
    if let Some(tests) = events.iter().rev().find_map(failed_tests) {
        text.push_str(&format!("\nthe test command said, at its end:\n{tests}\n"));
    }
    if !calls.is_empty() {
        text.push_str(&format!("\n{}\n", ledger(calls)));
    }
    text.trim_end().to_owned()
}

fn size(job: &JobRow, result: &JobResult) -> Option<String> {
    let how = format!("`codeteam show {} --result` prints it", short(&job.id));
    match (&result.diff, &result.report) {
        (Some(patch), _) => {
            let (files, added, removed) = diff::size(patch);
            Some(format!("a patch: {files} files, +{added} -{removed}; {how}"))
        }
        (None, Some(report)) => Some(format!("a report of {} lines; {how}", report.lines().count())),
        (None, None) => None,
    }
}

/// The end of what the test command said, where it did not pass.
fn failed_tests(record: &EventRecord) -> Option<String> {
    match &record.event {
        Event::Verified { outcome: domain::Outcome::Failed, output, .. } => {
            let lines: Vec<&str> = output.lines().collect();
            let last = &lines[lines.len().saturating_sub(20)..];
            Some(last.iter().map(|line| format!("  {}", domain::clean(line))).collect::<Vec<_>>().join("\n"))
        }
        _ => None,
    }
}

/// The ledger's lines of a job, with exact amounts and their sum.
pub fn ledger(calls: &[CallRow]) -> String {
    let row = |name: [String; 3], usage: &domain::Usage, cost: domain::Money, basis: &str| {
        let counts =
            [usage.uncached, usage.cache_read, usage.cache_write_5m + usage.cache_write_1h, usage.output];
        let counts = counts.map(|count| count.to_string());
        name.into_iter().chain(counts).chain([cost.to_string(), basis.to_owned()]).collect::<Vec<_>>()
    };
    let rows = calls.iter().map(|call| {
        let name = [call.call.to_string(), call.attempt.to_string(), one_line(&call.model, 40)];
        row(name, &call.usage, call.cost, if call.settled { &call.basis } else { "reserved" })
    });
    let usage = calls.iter().fold(domain::Usage::default(), |sum, call| sum + call.usage);
    let total = row(
        [String::new(), String::new(), "total".to_owned()],
        &usage,
        calls.iter().map(|call| call.cost).sum(),
        "",
    );
    let headings =
        ["call", "attempt", "model", "uncached", "cache read", "cache write", "output", "cost", "basis"];
    table(&headings, &[0, 1, 3, 4, 5, 6, 7], rows.chain([total]))
}
