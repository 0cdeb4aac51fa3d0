//! `scale`: how many workers there are and why; a person's say in it.

mod limits;
mod status;

use jiff::Timestamp;
use serde_json::json;
use store::Database;

use crate::args::{HistoryArgs, ScaleAction, ScaleArgs};
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};
use crate::view::scale::history;

pub async fn execute(context: &Context, args: ScaleArgs) -> Result<(), CliError> {
    Access::with(context, "scale", Absent::Refuse, async |access| {
        let database = &access.database;
        match args.action.unwrap_or(ScaleAction::Status) {
            ScaleAction::Status => status::show(context, database).await,
            ScaleAction::History(args) => list(context, database, &args).await,
            ScaleAction::Pause(args) => limits::pause(context, database, &args).await,
            ScaleAction::Resume(args) => limits::resume(context, database, &args).await,
            ScaleAction::SetLimits(args) => limits::set(context, database, &args).await,
        }
    })
    .await
}

async fn list(context: &Context, database: &Database, args: &HistoryArgs) -> Result<(), CliError> {
    let most = i64::from(args.limit);
    let (decisions, events) = (database.decisions(most).await?, database.fleet_events(most).await?);
    let entries = history::merged(decisions, events, args.limit.into());
    if context.json {
        out::json(&json!({"history": entries}));
    } else if entries.is_empty() {
        out::note("nothing was decided yet, and nothing happened to the fleet");
    } else {
        out::line(&history::list(&entries, Timestamp::now()));
    }
    Ok(())
}
