//! `scale pause`, `resume` and `set-limits`. Each answers with what holds now.

use domain::Mode;
use jiff::Timestamp;
use serde_json::json;
use store::Database;

use crate::args::{PauseScalingArgs, ResumeScalingArgs, SetLimitsArgs};
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::view::scale::bounds::Bounds;

pub async fn pause(context: &Context, database: &Database, args: &PauseScalingArgs) -> Result<(), CliError> {
    let modes = modes(args.mode);
    for &mode in &modes {
        database.pause_scaling(mode, &args.reason).await?;
    }
    answer(context, database, &modes).await
}

pub async fn resume(
    context: &Context,
    database: &Database,
    args: &ResumeScalingArgs,
) -> Result<(), CliError> {
    let modes = modes(args.mode);
    for &mode in &modes {
        if !database.resume_scaling(mode).await? {
            out::note(&format!("{mode}: scaling was not paused"));
        }
    }
    answer(context, database, &modes).await
}

pub async fn set(context: &Context, database: &Database, args: &SetLimitsArgs) -> Result<(), CliError> {
    match args.limits()? {
        Some(limits) => database.set_limits(args.mode, &limits).await?,
        None => {
            if !database.clear_limits(args.mode).await? {
                out::note(&format!("{}: no limit was set", args.mode));
            }
        }
    }
    answer(context, database, &[args.mode]).await
}

/// None named: both.
fn modes(mode: Option<Mode>) -> Vec<Mode> {
    mode.map_or_else(|| Mode::ALL.to_vec(), |mode| vec![mode])
}

async fn answer(context: &Context, database: &Database, modes: &[Mode]) -> Result<(), CliError> {
    let limits = database.limits_in_force().await?;
    let bounds: Vec<Bounds> =
        limits.into_iter().filter(|limits| modes.contains(&limits.mode)).map(Bounds).collect();
    if context.json {
        out::json(&json!({"limits": bounds}));
    } else {
        bounds.iter().for_each(|bounds| _ = out::line(&holds(bounds, Timestamp::now())));
    }
    Ok(())
}

fn holds(bounds: &Bounds, now: Timestamp) -> String {
    let follows = || "workers follow the work".to_owned();
    let paused = |says| format!("the number of workers stays as it is: {says}");
    let scaling = bounds.paused(now).map_or_else(follows, paused);
    format!("{}: {scaling}\n  limits: {}", bounds.mode(), bounds.limits())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::scale::bounds::tests::limits;
    use store::LimitsInForce;

    #[test]
    fn the_answer_says_what_holds_now() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let said = |limits| holds(&Bounds(limits), at(1_000));
        assert!(said(limits()).starts_with("mechanic: workers follow the work\n  limits: 0 to 10 workers"));
        let paused = LimitsInForce { paused_at: Some(at(1_000)), paused_reason: "a move".into(), ..limits() };
        assert!(
            said(paused)
                .starts_with("mechanic: the number of workers stays as it is: paused since 0s: a move")
        );
    }
}
