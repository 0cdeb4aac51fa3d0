//! The only crate that speaks SQL: connections, migrations, the doorbell, and a typed client of the queue's SQL functions.
//!
//! A program has one [`Database`]: one connection, used for queries and for LISTEN alike, so that a whole fleet fits into
//! twenty. Every call is a single statement with a time-out; none holds a transaction open.

mod budgets;
mod compatibility;
mod config;
mod connection;
mod counts;
mod database;
mod dead;
mod decisions;
mod doorbell;
mod error;
mod finish_many;
mod fleet;
mod fleet_events;
mod functions;
mod journal;
mod lead;
mod ledger;
mod measurements;
mod migrations;
mod observation;
mod prefix;
mod queue;
mod reading;
mod retention;
mod row;
mod scale_limits;
mod server_process;
mod statements;
mod tend;
mod tls;
mod trace;
mod waiting;

pub use budgets::{Budget, BudgetStop, Period};
pub use config::Config;
pub use counts::{Counted, Counts, StateCount};
pub use database::{Backoff, Database};
pub use dead::{DeadGroup, DeadLetter, DeadSelection, Swept};
pub use decisions::Decision;
pub use doorbell::{Doorbell, Summons, Topic, Wake};
pub use error::StoreError;
pub use finish_many::Ending;
pub use fleet::{NewWorker, Pause, WorkerRow};
pub use fleet_events::FleetEvent;
pub use journal::Journal;
pub use lead::{Lead, Leader};
pub use ledger::{Basis, Settlement};
pub use measurements::{Batch, Series};
pub use migrations::{Migrated, create_database, migrate};
pub use observation::{DEFAULT_SLA, ModeObservation, Observation};
pub use queue::{Claim, Claimed, LEASE, Verdict};
pub use reading::{CallRow, CostRow, JobFilter, JobRow, ReadEvents};
pub use retention::SweptBatch;
pub use scale_limits::{FleetLimits, LimitsInForce};
pub use tend::Tended;
pub use trace::PastJob;
pub use waiting::Waiting;
