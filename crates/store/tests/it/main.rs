//! The store against a real PostgreSQL, each test in a database of its own.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod after;
mod after_races;
mod bad_input;
mod budget_stops;
mod budgets;
mod dead;
mod doorbell;
mod doorbell_model;
mod fairness;
mod faults;
mod fence;
mod group_model;
mod groups;
mod horizon;
mod journal;
mod leadership;
mod lease_model;
mod ledger;
mod left_behind;
mod line;
mod line_model;
mod listing;
mod machine;
mod measurements;
mod migrations;
mod mirrors;
mod pause;
mod pooler;
mod queue;
mod retention;
mod retry;
mod rights;
mod scale_limits;
mod statements;
mod submit;
mod tending;
mod trace;
mod upgrade;

use std::sync::Arc;

use domain::{Mode, WorkerId};
use store::{Claimed, Database, Journal, LEASE, NewWorker};
use tokio::time::{Duration, Instant};

pub fn worker() -> WorkerId {
    WorkerId(uuid::Uuid::new_v4())
}

/// A worker that is registered, with the usual lease.
pub async fn hired(database: &Database) -> WorkerId {
    hired_for(database, LEASE).await
}

pub async fn hired_for(database: &Database, lease: Duration) -> WorkerId {
    let id = worker();
    let (host, version, sandbox) = ("here", "1", "none");
    let worker = NewWorker { id, mode: Mode::Mechanic, host, pid: 1, version, sandbox, lease };
    database.register_worker(&worker).await.unwrap();
    id
}

/// Submits a job and claims it.
pub async fn claimed(api: &Database, workers: &Database, by: WorkerId) -> Claimed {
    api.submit(&testkit::job()).await.unwrap();
    workers.claim(by, Mode::Mechanic).await.unwrap().expect("the job that was submitted")
}

/// The journal of a claim.
pub fn journal_of(database: &Arc<Database>, held: &Claimed) -> Journal {
    Journal::new(database.clone(), held.claim, held.seq)
}

/// A deadline that only a hanging test reaches.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// The three services' views of one database.
pub struct Roles {
    pub database: testkit::TestDatabase,
    pub api: Arc<Database>,
    pub worker: Arc<Database>,
}

pub async fn roles() -> Roles {
    let database = testkit::TestDatabase::new().await;
    let api = database.store("codeteam_api").await;
    let worker = database.store("codeteam_worker").await;
    Roles { database, api, worker }
}
