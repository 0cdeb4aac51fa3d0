//! `dead`: the failed and dead jobs that nobody has retried or acknowledged, by their errors or one by one.

use jiff::Timestamp;
use serde_json::json;
use store::{DeadGroup, DeadLetter};

use crate::args::DeadArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};
use crate::view::number::age;
use crate::view::table::table;
use crate::view::text::{one_line, short, tail};

/// Characters of an error on one line.
const WIDE: usize = 100;

pub async fn execute(context: &Context, args: DeadArgs) -> Result<(), CliError> {
    let now = Timestamp::now();
    let selection = args.selection.selection(now)?;
    Access::with(context, "dead", Absent::Refuse, async |access| {
        let text = if args.list {
            let letters = access.database.dead_letters(&selection, args.limit).await?;
            if context.json {
                out::json(&json!({"jobs": letters}));
                return Ok(());
            }
            (!letters.is_empty()).then(|| list(&letters, now))
        } else {
            let groups = access.database.dead_groups(&selection, args.limit).await?;
            if context.json {
                out::json(&json!({"groups": groups}));
                return Ok(());
            }
            (!groups.is_empty()).then(|| grouped(&groups, now))
        };
        match text {
            Some(text) => _ = out::line(&text),
            None => out::note("there is no such dead letter"),
        }
        Ok(())
    })
    .await
}

fn grouped(groups: &[DeadGroup], now: Timestamp) -> String {
    let row = |group: &DeadGroup| {
        vec![
            group.fingerprint.clone(),
            group.jobs.to_string(),
            group.repos.to_string(),
            age(group.latest, now),
            short(&group.example),
            group.exit_reason.to_string(),
            said(&group.error),
        ]
    };
    let headings = ["fingerprint", "jobs", "repos", "latest", "example", "reason", "error"];
    table(&headings, &[1, 2, 3], groups.iter().map(row))
}

fn list(letters: &[DeadLetter], now: Timestamp) -> String {
    let row = |letter: &DeadLetter| {
        vec![
            short(&letter.id),
            letter.state.to_string(),
            letter.mode.to_string(),
            letter.task.to_string(),
            tail(&letter.repo),
            age(letter.finished_at, now),
            letter.fingerprint.clone(),
            letter.exit_reason.to_string(),
            said(&letter.error),
        ]
    };
    let headings = ["id", "state", "mode", "task", "repo", "ended", "fingerprint", "reason", "error"];
    table(&headings, &[5], letters.iter().map(row))
}

fn said(error: &Option<String>) -> String {
    error.as_deref().map_or_else(|| "-".into(), |error| one_line(error, WIDE))
}
