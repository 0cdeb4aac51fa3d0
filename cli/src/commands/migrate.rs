//! `migrate`: the database that the user's secrets name gets this program's schema.

use serde_json::json;
use store::Config;

use crate::context::Context;
use crate::error::CliError;
use crate::out;

pub async fn execute(context: &Context) -> Result<(), CliError> {
    let keys = context.keys()?;
    let config = Config::parse(keys.require_database_url()?, "codeteam")?;
    let done = store::migrate(config).await?;
    if context.json {
        out::json(&json!({
            "version": done.version,
            "known": done.known,
            "applied": done.applied,
            "functions_replaced": done.functions_replaced,
        }));
        return Ok(());
    }
    if done.known < done.version {
        out::line(&format!(
            "the schema is at version {}, which a newer program made; this one knows {} and works with it: nothing was changed",
            done.version, done.known
        ));
        return Ok(());
    }
    let what = match (done.applied.as_slice(), done.functions_replaced) {
        ([], false) => "there was nothing to do".to_owned(),
        ([], true) => "its functions were replaced".to_owned(),
        (applied, _) => format!("ran {}", applied.join(", ")),
    };
    out::line(&format!("the schema is at version {}: {what}", done.version));
    Ok(())
}
