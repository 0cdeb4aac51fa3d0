//! `acknowledge`: a person has seen dead letters, which leave the list and stay in the history.

use jiff::Timestamp;
use serde_json::json;

use super::swept;
use crate::args::AcknowledgeArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};
use crate::view::text::short;

pub async fn execute(context: &Context, args: AcknowledgeArgs) -> Result<(), CliError> {
    let selection = args.target.selection(Timestamp::now())?;
    Access::with(context, "acknowledge", Absent::Refuse, async |access| {
        if let Some(selection) = &selection {
            let all = access.database.acknowledge_all(selection, &args.by, args.target.dry_run).await?;
            swept::say(context, &all, args.target.dry_run, "acknowledged");
            return Ok(());
        }
        let mut done = Vec::new();
        for id in swept::found(access, &args.target.ids).await? {
            let news = access.database.acknowledge(id, &args.by).await?;
            done.push(json!({"id": id, "acknowledged": true}));
            if !context.json {
                let said = if news { "is acknowledged" } else { "had been acknowledged before" };
                out::line(&format!("{} {said}", short(&id)));
            }
        }
        swept::say_json(context, done);
        Ok(())
    })
    .await
}
