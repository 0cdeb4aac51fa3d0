//! `scale status`: each fleet as it stands, and who leads.

use jiff::Timestamp;
use serde_json::json;
use store::{Database, Leader};

use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::view::scale::bounds::Bounds;
use crate::view::scale::fleet::Fleet;
use crate::view::scale::lead::Lead;

/// Decisions among which each fleet's last is looked for.
const LATEST: i64 = 1_000;

pub async fn show(context: &Context, database: &Database) -> Result<(), CliError> {
    let leader = database.leader().await?;
    let fleets = fleets(database).await?;
    if context.json {
        out::json(&json!({"leader": leader, "fleets": fleets}));
    } else {
        out::line(&text(&leader, &fleets, Timestamp::now()));
    }
    Ok(())
}

async fn fleets(database: &Database) -> Result<Vec<Fleet>, CliError> {
    let seen = database.observe().await?;
    let limits = database.limits_in_force().await?;
    let decisions = database.decisions(LATEST).await?;
    let pauses = database.pauses().await?;
    let fleet = |limits: store::LimitsInForce| {
        let (mode, service) = (limits.mode, limits.mode.service());
        let seen = seen.of(mode);
        let decision = decisions.iter().find(|decision| decision.service == service).cloned();
        let pause = pauses.iter().find(|pause| pause.mode == mode).cloned();
        Fleet::new(seen, Bounds(limits), decision, pause)
    };
    Ok(limits.into_iter().map(fleet).collect())
}

fn text(leader: &Leader, fleets: &[Fleet], now: Timestamp) -> String {
    let mut lines = vec![Lead::of(leader, now).sentence().to_owned()];
    lines.extend(fleets.iter().flat_map(|fleet| fleet.lines(now)));
    lines.join("\n")
}
