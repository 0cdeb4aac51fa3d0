//! What `retry` and `acknowledge` share: finding the jobs that are named, and saying what became of them.

use domain::JobId;
use serde_json::{Value, json};
use store::Swept;

use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::Access;

/// All jobs that are named, before anything is done to the first.
pub async fn found(access: &Access, ids: &[String]) -> Result<Vec<JobId>, CliError> {
    let mut found = Vec::new();
    for id in ids {
        found.push(access.database.find_job(id).await?);
    }
    Ok(found)
}

/// One job's object for one job, a list of them for several. For people nothing: they were told of each.
pub fn say_json(context: &Context, mut done: Vec<Value>) {
    if context.json {
        match done.len() {
            1 => out::json(&done.remove(0)),
            _ => out::json(&json!({"jobs": done})),
        };
    }
}

/// Says what became of a selection; `done` is what was done, as in "queued again".
pub fn say(context: &Context, swept: &Swept, dry_run: bool, done: &str) {
    let Swept { changed, remaining, held_back } = *swept;
    if context.json {
        out::json(
            &json!({"changed": changed, "remaining": remaining, "held_back": held_back, "dry_run": dry_run}),
        );
        return;
    }
    let jobs = |number: i64| if number == 1 { "1 job".to_owned() } else { format!("{number} jobs") };
    if dry_run {
        out::line(&format!("{} would be {done}", jobs(remaining)));
    } else {
        out::line(&format!("{} {done}", jobs(changed)));
        if remaining > 0 {
            out::note(&format!(
                "{} left, which somebody else was just changing: say it again",
                jobs(remaining)
            ));
        }
    }
    if held_back > 0 {
        out::note(&format!(
            "{} held back: a job that is open has the same dedupe key, and must end or be cancelled first",
            jobs(held_back)
        ));
    }
}
