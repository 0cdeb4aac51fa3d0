//! Codeteam's own side: through the store, as the worker program does it, with one connection per worker. Its jobs are done the
//! moment that they are claimed.

mod drain;
mod sleeper;
mod steady;

use std::sync::Arc;

use domain::{ExitReason, JobState, Mode, Outcome, WorkerId};
use store::{Claimed, Database, Doorbell, Ending, Journal, LEASE, NewWorker, Topic};
use tokio::time::Instant;
use tokio_postgres::Client;

use crate::server::Server;

pub use drain::drain;
pub use sleeper::Sleeper;
pub use steady::steady;

pub const INSERT: &str = "insert into codeteam.jobs (mode, task, repo, prompt) values ('mechanic', 'bug_fix', '/srv/app', 'make it work')";

/// One worker with its own connection.
pub struct Worker {
    pub id: WorkerId,
    pub database: Arc<Database>,
}

impl Worker {
    pub async fn start(server: &Server, database: &str) -> anyhow::Result<Worker> {
        let config = server.config("codeteam_worker", database)?;
        let worker =
            Worker { id: WorkerId(uuid::Uuid::new_v4()), database: Arc::new(Database::open(config).await?) };
        let (host, version, sandbox) = ("bench", "0", "none");
        let about =
            NewWorker { id: worker.id, mode: Mode::Mechanic, host, pid: 0, version, sandbox, lease: LEASE };
        worker.database.register_worker(&about).await?;
        Ok(worker)
    }

    pub async fn claim(&self) -> anyhow::Result<Option<Claimed>> {
        Ok(self.database.claim(self.id, Mode::Mechanic).await?)
    }

    pub async fn finish(&self, claimed: &Claimed) -> anyhow::Result<()> {
        let journal = Journal::new(self.database.clone(), claimed.claim, claimed.seq);
        let end = (JobState::Succeeded, Outcome::Unverified, ExitReason::Finished);
        journal.finish(end, None, &[], Instant::now() + LEASE).await?;
        Ok(())
    }

    pub async fn claim_many(&self, most: u16) -> anyhow::Result<Vec<Claimed>> {
        Ok(self.database.claim_many(self.id, Mode::Mechanic, most).await?)
    }

    pub async fn finish_many(&self, claimed: &[Claimed]) -> anyhow::Result<()> {
        let endings: Vec<_> = claimed
            .iter()
            .map(|claimed| Ending {
                claimed,
                state: JobState::Succeeded,
                outcome: Outcome::Unverified,
                reason: ExitReason::Finished,
                error: None,
                events: Vec::new(),
            })
            .collect();
        let states = self.database.finish_many(self.id, &endings).await?;
        anyhow::ensure!(states.iter().all(Option::is_some), "a job was lost");
        Ok(())
    }

    pub fn doorbell(&self) -> Doorbell {
        Doorbell::new(self.database.clone(), Topic::Mode(Mode::Mechanic), self.id.0)
    }
}

/// Queues `jobs` jobs in one statement.
pub async fn enqueue(client: &Client, jobs: usize) -> anyhow::Result<()> {
    let insert = "insert into codeteam.jobs (mode, task, repo, prompt)
        select 'mechanic', 'bug_fix', '/srv/app', 'make it work' from generate_series(1, $1)";
    client.execute(insert, &[&i32::try_from(jobs)?]).await?;
    Ok(())
}
