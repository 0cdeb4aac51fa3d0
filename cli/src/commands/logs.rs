//! `logs`: what happened to a job, as lines, until now or until its end.

use domain::{Event, EventRecord, JobId};
use jiff::Timestamp;
use store::{Database, ReadEvents};

use crate::args::LogsArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};
use crate::view::events::lines;

/// Events that are read at once.
const PAGE: i32 = 500;

pub async fn execute(context: &Context, args: LogsArgs) -> Result<(), CliError> {
    Access::with(context, "logs", Absent::Refuse, async |access| {
        let database = &access.database;
        let id = database.find_job(&args.id).await?;
        let job = database.job(id).await?;
        let start = job.created_at;
        if args.follow && access.is_alone() && !job.state.is_final() {
            out::note("no team is up here, so nothing more will happen: start one with `codeteam up`");
        }
        // Alone, nobody would ever end the wait.
        if !args.follow || access.is_alone() {
            for record in all(database, id).await? {
                if !show(context, &record, start) {
                    break;
                }
            }
            return Ok(());
        }
        let mut events = ReadEvents::new(database.clone(), id, 0);
        loop {
            let batch = events.next().await?;
            let is_read = batch.iter().all(|record| show(context, record, start));
            if !is_read || is_end(&batch) {
                return Ok(events.close().await?);
            }
        }
    })
    .await
}

/// Whether nothing more happens by itself after these events.
pub fn is_end(batch: &[EventRecord]) -> bool {
    batch.last().is_some_and(|last| matches!(last.event, Event::Finished { .. }))
}

/// Every event of a job so far.
pub async fn all(database: &Database, id: JobId) -> Result<Vec<EventRecord>, CliError> {
    let mut events = Vec::new();
    loop {
        let after = events.last().map_or(0, |last: &EventRecord| last.seq);
        let page = database.events(id, after, PAGE).await?;
        if page.is_empty() {
            return Ok(events);
        }
        events.extend(page);
    }
}

/// Writes an event; false once nobody reads.
fn show(context: &Context, record: &EventRecord, start: Timestamp) -> bool {
    if context.json {
        // One object a line, also at a terminal: it is a stream.
        return serde_json::to_string(record).is_ok_and(|line| out::line(&line));
    }
    lines(record, start).iter().all(|line| out::line(line))
}
