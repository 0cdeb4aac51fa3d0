//! `cancel`: a person asks for a job's end.

use domain::JobState;
use serde_json::json;

use crate::args::IdArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};
use crate::view::text::short;

pub async fn execute(context: &Context, args: IdArgs) -> Result<(), CliError> {
    Access::with(context, "cancel", Absent::Refuse, async |access| {
        let id = access.database.find_job(&args.id).await?;
        let state = access.database.cancel(id).await?;
        if context.json {
            out::json(&json!({"id": id, "state": state}));
        } else {
            let said = match state {
                JobState::Cancelled => "is cancelled".to_owned(),
                // Its worker died with its team, and its lease must run out before anybody may take it from it.
                JobState::Running if access.is_alone() => {
                    "is cancelled as soon as a team is up: `codeteam up`".to_owned()
                }
                JobState::Running => "is being cancelled: its worker was told".to_owned(),
                ended => format!("had ended already: it is {ended}"),
            };
            out::line(&format!("{} {said}", short(&id)));
        }
        Ok(())
    })
    .await
}
