//! Who does the work of one `run`: the team that is up on the home, or one that is started for it alone.

use std::sync::Arc;
use std::time::Duration;

use domain::JobState;
use store::{Database, JobFilter};
use tokio::time::{Instant, sleep};

use crate::context::Context;
use crate::error::CliError;
use crate::keys;
use crate::out;
use crate::team::access::Access;
use crate::team::{self, Plan, Scaler, Taken, Team};

/// How long an `up` may take until its database is ready.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// Between two looks at a lock that another command holds.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Waiting jobs that are counted.
const COUNTED: i64 = 1_000;

/// A team to work with.
pub enum Host {
    /// Somebody else's, which stays.
    Shared(Access),
    /// Our own, which goes with us.
    Own(Box<Team>, Arc<Database>),
}

impl Host {
    /// Finds the team that is up, or starts one. Waits while another `run` has the home.
    pub async fn find(context: &Context, plan: &Plan) -> Result<Host, CliError> {
        let home = &context.home;
        let (began, mut told) = (Instant::now(), false);
        loop {
            match team::take(home, "run")? {
                Taken::Mine(lock) => {
                    let (team, database) = Team::start(home, lock, plan).await?;
                    if let Err(error) = look_at_others(context, plan, &database).await {
                        team.stop(&context.shutdown).await?;
                        return Err(error);
                    }
                    return Ok(Host::Own(Box::new(team), database));
                }
                Taken::Theirs(holder) if holder.command == "up" => {
                    if plan.rehearsal.is_some() {
                        return Err(CliError::Unable(format!(
                            "`codeteam up` (process {}) has {} and works with models: give the rehearsal a home of its own with --home",
                            holder.pid,
                            home.path().display()
                        )));
                    }
                    if let Some(access) = Access::to_running(context).await? {
                        check_its_key(context)?;
                        return Ok(Host::Shared(access));
                    }
                    if began.elapsed() > UP_WITHIN {
                        return Err(team::in_use(home, holder));
                    }
                }
                Taken::Theirs(holder) => {
                    if !std::mem::replace(&mut told, true) && !holder.command.is_empty() {
                        out::note(&format!(
                            "waiting for `codeteam {}` (process {}) to be done with {}; `codeteam up` works on many jobs at once",
                            holder.command,
                            holder.pid,
                            home.path().display()
                        ));
                    }
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Where the jobs are.
    pub fn database(&self) -> Arc<Database> {
        match self {
            Host::Shared(access) => access.database.clone(),
            Host::Own(_, database) => database.clone(),
        }
    }

    /// Our own scaler, if we have one.
    pub fn scaler(&mut self) -> Option<&mut Scaler> {
        match self {
            Host::Shared(_) => None,
            Host::Own(team, _) => Some(&mut team.scaler),
        }
    }

    /// Takes down what was started.
    pub async fn stop(self, context: &Context) -> Result<(), CliError> {
        match self {
            Host::Shared(_) => Ok(()),
            Host::Own(team, database) => {
                drop(database);
                team.stop(&context.shutdown).await
            }
        }
    }
}

/// The workers of an `up` have the keys that were there when it started.
fn check_its_key(context: &Context) -> Result<(), CliError> {
    let worker = team::runtime_secrets(&context.home, "worker")?;
    if keys::has_own_server() || worker.is_some_and(|secrets| keys::has_model_key(&secrets)) {
        return Ok(());
    }
    let (home, own) = (context.home.path().to_owned(), context.keys()?);
    Err(CliError::UpHasNoKey { home, path: own.path().to_owned() })
}

/// A team works on every job that waits on its home: fine with a model, wrong with a script that was written for one job.
async fn look_at_others(context: &Context, plan: &Plan, database: &Database) -> Result<(), CliError> {
    if plan.database_url.is_some() {
        return Ok(());
    }
    let mut others = 0;
    for state in [JobState::Queued, JobState::Running] {
        others +=
            database.jobs(JobFilter { state: Some(state), ..JobFilter::default() }, COUNTED).await?.len();
    }
    match (others, plan.rehearsal.is_some()) {
        (0, _) => Ok(()),
        (_, true) => Err(CliError::Unable(format!(
            "the unfinished jobs on {} ({others}) would be answered from the script too: cancel them (`codeteam jobs`), or give the \
             rehearsal a home of its own with --home",
            context.home.path().display()
        ))),
        (_, false) => {
            out::note(&format!(
                "unfinished jobs here, which are worked on as well: {others} (`codeteam jobs`)"
            ));
            Ok(())
        }
    }
}
