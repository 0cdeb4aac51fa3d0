//! `up`: the team on this machine until somebody stops it.

mod news;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use store::{Database, Doorbell, StoreError, Topic, Wake};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use self::news::News;
use crate::args::UpArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::keys::{self, Keys};
use crate::out;
use crate::team::{self, Lock, Plan, Scaler, Taken, Team, Trouble};

/// Between two looks while there is work.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a command that is not another `up` may take to be done with the home.
const OTHERS_LEAVE_WITHIN: Duration = Duration::from_secs(10);

pub async fn execute(context: &Context, args: UpArgs) -> Result<u8, CliError> {
    let keys = context.keys()?;
    let plan = Plan { settings: settings(&args), ..Plan::with(&keys) };
    let started = context.unless_interrupted(async {
        let lock = take(context).await?;
        Team::start(&context.home, lock, &plan).await
    });
    let (mut team, database) = match started.await {
        Err(CliError::Interrupted) => return Ok(0),
        other => other?,
    };
    banner(context, &keys, team.psql());
    let decided_at = team.decided_at;
    let watched = tokio::select! {
        () = context.shutdown.token().cancelled() => Ok(()),
        watched = watch(context, &mut team.scaler, &database, News::after(decided_at)) => watched,
    };
    tell(
        context,
        "stopping",
        "stopping: unfinished jobs are given back, which takes some ten seconds; Ctrl-C again to stop at once",
    );
    drop(database);
    team.stop(&context.shutdown).await?;
    tell(context, "stopped", "stopped; nothing is left running");
    watched.map(|()| 0)
}

fn settings(args: &UpArgs) -> Vec<(&'static str, String)> {
    let UpArgs { mechanic_max, genius_max, cool_down_ms, retention_days } = args;
    let given = [
        ("MECHANIC_MAX", mechanic_max.map(u64::from)),
        ("GENIUS_MAX", genius_max.map(u64::from)),
        ("COOL_DOWN_MS", *cool_down_ms),
        ("RETENTION_DAYS", retention_days.map(u64::from)),
    ];
    given.into_iter().filter_map(|(name, value)| Some((name, value?.to_string()))).collect()
}

/// Another `up` stays, so it is named at once; any other command is soon done.
async fn take(context: &Context) -> Result<Lock, CliError> {
    let began = Instant::now();
    loop {
        match team::take(&context.home, "up")? {
            Taken::Mine(lock) => return Ok(lock),
            Taken::Theirs(holder) if holder.command == "up" || began.elapsed() > OTHERS_LEAVE_WITHIN => {
                return Err(team::in_use(&context.home, holder));
            }
            Taken::Theirs(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

fn banner(context: &Context, keys: &Keys, psql: Option<String>) {
    let (home, has_key) = (context.home.path().display().to_string(), keys.has_model_key());
    let can_ask = has_key || keys::has_own_server();
    if context.json {
        print(&json!({"event": "up", "home": home, "has_model_key": has_key}));
        return;
    }
    let database =
        psql.map_or_else(|| "the one that DATABASE_URL names".to_owned(), |url| format!("psql '{url}'"));
    out::line(&format!(
        "codeteam {} is up on {home}\n\
         \x20 scaler    watches the queue; while it is empty no worker runs\n\
         \x20 database  {database}\n\
         \x20 submit    codeteam submit --repo PATH_OR_URL --task bug_fix --test-command CMD \"what to do\"\n\
         \x20 look      codeteam jobs, codeteam logs --follow ID, codeteam show ID\n\
         \x20 stop      Ctrl-C; unfinished jobs go on at the next `codeteam up`\n\
         Not for production: one machine, no redundancy.",
        env!("CARGO_PKG_VERSION"),
    ));
    if !can_ask {
        out::line(&format!(
            "There is no key for a model, so jobs would fail: write {} to {} (mode 0600) and start again.",
            keys::example(),
            keys.path().display()
        ));
    }
}

/// Tells what changes. Asleep when there is no work, like everybody else.
async fn watch(
    context: &Context,
    scaler: &mut Scaler,
    database: &Arc<Database>,
    mut news: News,
) -> Result<(), CliError> {
    let mut doorbell = Doorbell::new(database.clone(), Topic::Scaler, Uuid::new_v4());
    let mut unreadable = false;
    loop {
        let quiet = match news.look(database).await {
            Ok(items) => {
                items.iter().for_each(|item| tell_of(context, item.at, item.kind, &item.text));
                news.is_quiet()
            }
            // The team goes on whether or not its news can be shown.
            Err(error) => {
                if !error.is_transient() && !unreadable {
                    unreadable = true;
                    let text = format!("the jobs cannot be shown: {}", service::exit::one_line(&error));
                    tell(context, "unreadable", &text);
                }
                false
            }
        };
        let rest = async {
            if quiet {
                if doorbell.sleep().await? == Wake::Ready {
                    // The scaler has been told as well; there is nothing to see before it has acted.
                    sleep(LOOK_EVERY).await;
                }
                doorbell.wake().await
            } else {
                sleep(LOOK_EVERY).await;
                Ok::<_, StoreError>(())
            }
        };
        tokio::select! {
            rested = rest => match rested {
                Err(error) if !error.is_transient() => return Err(CliError::from(error)),
                // The next look finds out.
                _ => {}
            },
            trouble = scaler.trouble() => {
                let kind = match trouble {
                    Trouble::ScalerDied { .. } => {
                        news.forget_fleet();
                        "scaler_died"
                    }
                    Trouble::Fleet { .. } => "mishap",
                };
                tell(context, kind, &format!("{}; see {}", trouble.message(), context.home.log().display()));
            }
        }
    }
}

fn tell(context: &Context, kind: &str, text: &str) {
    tell_of(context, Timestamp::now(), kind, text);
}

fn tell_of(context: &Context, at: Timestamp, kind: &str, text: &str) {
    if context.json {
        print(&json!({"at": at, "event": kind, "text": text}));
    } else {
        out::line(&format!("{}  {text}", at.to_zoned(TimeZone::system()).strftime("%H:%M:%S")));
    }
}

/// One object a line, also at a terminal: it is a stream.
fn print(value: &Value) {
    out::line(&value.to_string());
}
