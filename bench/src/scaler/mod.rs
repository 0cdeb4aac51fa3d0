//! The scaler as users run it, with AWS as its hands: the real program on a database of its own, beside the stand-in for AWS whose
//! tasks are only counted. What it is measured at is in the other files of this folder.
//!
//! Moments are those of the machine's wall clock, by which the stand-in says when a call arrived.

mod asleep;
mod burst;
mod day;
mod floor;
mod program;
mod wakes;

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Context;
use domain::Mode;
use system_tests::aws::{AwsStandIn, Call, Options};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_postgres::Client;

use crate::server::Server;
use program::Program;

pub use asleep::measure as asleep;
pub use burst::measure as burst;
pub use day::measure as day;
pub use wakes::measure as wakes;

const REGISTER: &str = "RegisterScalableTarget";
/// A scaler that takes longer to fall asleep does not.
const LONGEST: Duration = Duration::from_secs(120);
/// The scaler says one of these before it waits. Awake, it says more within a second; what it writes has a connection of its own.
const STILL: &str = "select coalesce(bool_and(state = 'idle' and state_change < clock_timestamp() - make_interval(secs => $1))
           and bool_or(query similar to '%codeteam.(doze|look)%'), false)
    from pg_stat_activity where datname = current_database() and application_name like 'codeteam scaler%'";

/// A scaler at work.
struct Rig {
    database: String,
    aws: AwsStandIn,
    program: Program,
    admin: Client,
    /// For how long a scaler that sleeps has been silent.
    still: Duration,
    /// When its targets were changed last.
    changed_at: Instant,
    _folder: tempfile::TempDir,
}

impl Rig {
    /// Starts one on `database` with these settings beside its own defaults.
    async fn start(
        server: &Server,
        database: String,
        still: Duration,
        options: Options,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Rig> {
        let folder = tempfile::tempdir()?;
        let secrets = folder.path().join("secrets.json");
        let url = server.url_as("codeteam_scaler", &database);
        std::fs::write(&secrets, serde_json::json!({"DATABASE_URL": url}).to_string())?;
        std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o600))?;
        let aws = AwsStandIn::start(options).await;
        let mut environment = aws.envs();
        environment
            .extend([("ACTUATOR", "aws".to_owned()), ("SECRETS", format!("file:{}", secrets.display()))]);
        environment.extend(settings.iter().map(|&(name, value)| (name, value.to_owned())));
        let program = Program::start(&folder.path().join("log"), &environment)?;
        let admin = server.client(&database).await?;
        let changed_at = Instant::now();
        let mut rig = Rig { database, aws, program, admin, still, changed_at, _folder: folder };
        rig.asleep(Duration::ZERO).await?;
        Ok(rig)
    }

    /// Waits until the scaler sleeps beside an empty fleet, and until `pace` has passed since it changed a target: it makes a dozen
    /// changes at once, and then one in 5 s for each mode. Gives the number of calls so far.
    async fn asleep(&mut self, pace: Duration) -> anyhow::Result<usize> {
        let Rig { aws, program, admin, still, .. } = self;
        let quiet = async {
            let calls =
                aws.calls_until(0, |calls| Mode::ALL.iter().all(|&mode| stands_at_zero(calls, mode))).await;
            while !admin.query_one(STILL, &[&still.as_secs_f64()]).await?.get::<_, bool>(0) {
                sleep(Duration::from_millis(20)).await;
            }
            anyhow::Ok(calls.len())
        };
        let calls =
            program.during(timeout(LONGEST, quiet)).await?.context("the scaler does not fall asleep")??;
        sleep_until(self.changed_at + pace).await;
        self.changed_at = Instant::now();
        Ok(calls)
    }

    /// The capacities that were asked for behind the call numbered `after`.
    async fn targets(&self, after: usize) -> Vec<Call> {
        let mut calls = self.aws.calls(after).await;
        calls.retain(|call| call.operation == REGISTER);
        calls
    }

    /// Takes all jobs away that wait.
    async fn cancel_all(&self) -> anyhow::Result<()> {
        let cancel = "select codeteam.cancel_job(id) from codeteam.jobs where state = 'queued'";
        self.admin.query(cancel, &[]).await?;
        Ok(())
    }

    async fn stop(self, server: &Server) -> anyhow::Result<()> {
        self.program.stop().await?;
        self.aws.stop().await;
        drop(self.admin);
        server.drop(&self.database).await
    }
}

/// Whether the last target of this mode is 0, and AWS took it.
fn stands_at_zero(calls: &[Call], mode: Mode) -> bool {
    let last = calls.iter().rev().find(|call| call.operation == REGISTER && is_of(call, mode));
    last.is_some_and(|call| call.max == Some(0) && call.status == Some(200))
}

fn is_of(call: &Call, mode: Mode) -> bool {
    let service = format!("/{mode}-worker");
    call.resource.as_deref().is_some_and(|resource| resource.ends_with(&service))
}

/// Nanoseconds since 1970.
#[allow(clippy::disallowed_methods)] // the stand-in is another process, and tells times by this clock
fn wall_clock() -> u64 {
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Milliseconds from one moment to another, both in nanoseconds since 1970.
fn ms_between(from: u64, to: u64) -> f64 {
    (to as f64 - from as f64) / 1e6
}
