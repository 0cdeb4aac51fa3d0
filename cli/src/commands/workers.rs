//! `workers`: who is there, and what the scaler decided lately.

use jiff::Timestamp;
use serde_json::json;
use store::{Pause, WorkerRow};

use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};
use crate::view::number::age;
use crate::view::scale::history;
use crate::view::table::table;
use crate::view::text::{one_line, short};

/// Decisions that are shown.
const LATEST: i64 = 10;

pub async fn execute(context: &Context) -> Result<(), CliError> {
    Access::with(context, "workers", Absent::Refuse, async |access| {
        let workers = access.database.workers().await?;
        let decisions = access.database.decisions(LATEST).await?;
        let pauses = access.database.pauses().await?;
        if context.json {
            out::json(&json!({"workers": workers, "pauses": pauses, "decisions": decisions}));
            return Ok(());
        }
        let now = Timestamp::now();
        match workers.len() {
            0 => out::line("no worker is there: the team sleeps"),
            _ => out::line(&list(&workers, now)),
        };
        for pause in &pauses {
            out::line(&paused(pause, now));
        }
        if !decisions.is_empty() {
            out::line(&format!("\n{}", history::list(&history::decisions(decisions), now)));
        }
        Ok(())
    })
    .await
}

fn paused(pause: &Pause, now: Timestamp) -> String {
    let reason = one_line(&pause.reason, 100);
    let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    format!("{} is paused since {}{because}", pause.mode, age(pause.since, now))
}

fn list(workers: &[WorkerRow], now: Timestamp) -> String {
    let row = |worker: &WorkerRow| {
        vec![
            short(&worker.id),
            worker.mode.to_string(),
            worker.job.map_or("idle".into(), |job| short(&job)),
            format!("{}/{}", one_line(&worker.host, 30), worker.pid),
            age(worker.started_at, now),
            age(worker.heartbeat_at, now),
            one_line(&worker.sandbox, 30),
            one_line(&worker.version, 20),
        ]
    };
    let headings = ["id", "mode", "job", "host/process", "age", "heard", "sandbox", "version"];
    table(&headings, &[4, 5], workers.iter().map(row))
}
