//! `retry`: failed, cancelled or dead jobs go back into the queue, with what a person changes of them.

use domain::JobState;
use jiff::Timestamp;
use serde_json::json;

use super::swept;
use crate::args::RetryArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};
use crate::view::text::short;

pub async fn execute(context: &Context, args: RetryArgs) -> Result<(), CliError> {
    let (selection, changes) = (args.target.selection(Timestamp::now())?, args.changes()?);
    Access::with(context, "retry", Absent::Refuse, async |access| {
        if let Some(selection) = &selection {
            let all = access.database.retry_all(selection, &changes, args.target.dry_run).await?;
            swept::say(context, &all, args.target.dry_run, "queued again");
            return Ok(());
        }
        let mut done = Vec::new();
        for id in swept::found(access, &args.target.ids).await? {
            access.database.retry_with(id, &changes).await?;
            done.push(json!({"id": id, "state": JobState::Queued}));
            if !context.json {
                out::line(&format!("{} is queued again", short(&id)));
            }
        }
        swept::say_json(context, done);
        Ok(())
    })
    .await
}
