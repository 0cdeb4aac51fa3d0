//! `pause` and `resume`: a mode's jobs wait, and go on.

use domain::Mode;
use serde_json::json;

use crate::args::{ModeArgs, PauseArgs};
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};

pub async fn pause(context: &Context, args: PauseArgs) -> Result<(), CliError> {
    let PauseArgs { mode, reason } = args;
    Access::with(context, "pause", Absent::Refuse, async |access| {
        access.database.pause(mode, &reason).await?;
        say(context, mode, true, &format!("{mode} is paused: its jobs wait for `codeteam resume {mode}`"));
        Ok(())
    })
    .await
}

pub async fn resume(context: &Context, args: ModeArgs) -> Result<(), CliError> {
    Access::with(context, "resume", Absent::Refuse, async |access| {
        let text = if access.database.resume(args.mode).await? { "goes on" } else { "was not paused" };
        say(context, args.mode, false, &format!("{} {text}", args.mode));
        Ok(())
    })
    .await
}

fn say(context: &Context, mode: Mode, paused: bool, text: &str) {
    if context.json {
        out::json(&json!({"mode": mode, "paused": paused}));
    } else {
        out::line(text);
    }
}
