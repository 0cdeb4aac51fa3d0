//! `retry`: a failed, cancelled or dead job goes back into the queue.

use domain::JobState;
use serde_json::json;

use crate::args::IdArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};
use crate::view::text::short;

pub async fn execute(context: &Context, args: IdArgs) -> Result<(), CliError> {
    Access::with(context, "retry", Absent::Refuse, async |access| {
        let id = access.database.find_job(&args.id).await?;
        access.database.retry(id).await?;
        if context.json {
            out::json(&json!({"id": id, "state": JobState::Queued}));
        } else {
            out::line(&format!("{} is queued again", short(&id)));
        }
        Ok(())
    })
    .await
}
