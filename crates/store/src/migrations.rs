//! Brings a database to this program's schema, however many programs try at once, and while others are at work.
//!
//! What may surprise: it gives way. Whoever waits for a lock on a table makes everybody who comes after wait too, so it waits
//! for half a second only, takes back what it had begun, and tries again.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::connection::Connection;
use crate::database::Backoff;
use crate::{Config, StoreError, compatibility, functions};

mod embedded {
    refinery::embed_migrations!("../../sql/migrations");
}

/// Held while migrating; the number is arbitrary ("codeteam" in ASCII) and means the same in every version.
const LOCK: i64 = 0x636f_6465_7465_616d;
const HISTORY: &str = "codeteam.schema_history";
/// How long one lock is waited for. Less than PostgreSQL's deadlock_timeout (1 s): where the two sides wait for one another, it is
/// the migration that lets go.
const LOCK_WAIT: &str = "500ms";
/// How long is waited for another migration, and how long locks are tried for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What [`migrate`] found to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The schema's version now.
    pub version: i32,
    /// The version that this program knows. Where it is lower, a newer program was here: nothing was changed, and this
    /// program may go on working.
    pub known: i32,
    /// The migrations that ran, by name.
    pub applied: Vec<String>,
    /// Whether the functions were put in place anew.
    pub functions_replaced: bool,
}

/// The last migration that this program knows.
pub(crate) fn known_version() -> i32 {
    embedded::migrations::runner()
        .get_migrations()
        .iter()
        .map(refinery::Migration::version)
        .max()
        .unwrap_or(0)
}

/// Runs the migrations that the database lacks and puts the functions in place. Needs the owner's rights.
///
/// Safe when many programs do it at the same moment, and when one is killed half-way: each migration is a transaction.
/// A database that is newer than this program is left as it is; that is an error, [`StoreError::SchemaNewer`], where
/// this program cannot work with it. Programs that are at work wait for half a second at most; where somebody holds a lock for a
/// minute, it ends with [`StoreError::Locked`].
/// A role without those rights is refused with [`StoreError::NotOwner`].
pub async fn migrate(config: Config) -> Result<Migrated, StoreError> {
    match migrate_as_owner(config).await {
        Err(StoreError::Postgres(error)) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            Err(StoreError::NotOwner)
        }
        other => other,
    }
}

async fn migrate_as_owner(config: Config) -> Result<Migrated, StoreError> {
    let mut connection = Connection::open(&config).await?;
    let client = &mut connection.client;
    // The lock is the session's: it goes with the connection, however this ends. The migrations themselves run on the same one.
    let patience = PATIENCE.as_secs();
    client
        .batch_execute(&format!("set client_min_messages = warning; set lock_timeout = '{patience}s'"))
        .await?;
    client.batch_execute(&format!("select pg_advisory_lock({LOCK})")).await?;
    client.batch_execute(&format!("set lock_timeout = '{LOCK_WAIT}'")).await?;
    let (found, known) = (applied_version(client).await?, known_version());
    if found > known {
        compatibility::judge(found, works_since(client).await?)?;
        return Ok(Migrated { version: found, known, applied: Vec::new(), functions_replaced: false });
    }
    client.batch_execute("create schema if not exists codeteam").await?;
    let deadline = Instant::now() + PATIENCE;
    let mut backoff = Backoff::default();
    let functions_replaced = loop {
        match bring_up_to_date(client).await {
            Err(StoreError::Locked) if Instant::now() < deadline => sleep(backoff.longer()).await,
            done => break done?,
        }
    };
    Ok(Migrated { version: known, known, applied: known_since(found), functions_replaced })
}

/// Goes on where an earlier try gave way: each migration is a transaction, and so are the functions together.
async fn bring_up_to_date(client: &mut Client) -> Result<bool, StoreError> {
    let mut runner = embedded::migrations::runner();
    runner.set_migration_table_name(HISTORY);
    runner.run_async(client).await.map_err(not_migrated)?;
    replace_functions(client).await
}

/// The migrations after `found`, by name and in order.
fn known_since(found: i32) -> Vec<String> {
    let runner = embedded::migrations::runner();
    let mut newer: Vec<_> = runner.get_migrations().iter().filter(|it| it.version() > found).collect();
    newer.sort();
    newer.into_iter().map(ToString::to_string).collect()
}

fn not_migrated(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    if gave_way(&error) { StoreError::Locked } else { StoreError::Migration(Box::new(error)) }
}

/// Whether PostgreSQL ended it because others were at work.
fn gave_way(error: &(dyn std::error::Error + 'static)) -> bool {
    let code = error.downcast_ref().and_then(tokio_postgres::Error::code);
    code.is_some_and(|code| [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED].contains(code))
        || error.source().is_some_and(gave_way)
}

/// Creates the database `name` if it is not there; for a server of one's own, right after it was made. `admin` is the same server's maintenance database, as a role that may create databases.
pub async fn create_database(admin: Config, name: &str) -> Result<(), StoreError> {
    let connection = Connection::open(&admin).await?;
    let there = "select exists (select from pg_database where datname = $1)";
    if !connection.client.query_one(there, &[&name]).await?.get::<_, bool>(0) {
        let name = name.replace('"', "\"\"");
        connection.client.batch_execute(&format!("create database \"{name}\"")).await?;
    }
    Ok(())
}

async fn applied_version(client: &Client) -> Result<i32, StoreError> {
    let fresh = client.query_one("select to_regclass($1) is null", &[&HISTORY]).await?.get(0);
    if fresh {
        return Ok(0);
    }
    let sql = format!("select coalesce(max(version), 0)::integer from {HISTORY}");
    Ok(client.query_one(&sql, &[]).await?.get(0))
}

/// A schema from before compatibility was written down is older than this program, and never asked.
async fn works_since(client: &Client) -> Result<i32, StoreError> {
    Ok(client.query_one("select codeteam.works_since()", &[]).await?.get(0))
}

/// A change of a function after a release comes with a migration, so that an older program refuses this database instead of
/// putting its own text back.
async fn replace_functions(client: &mut Client) -> Result<bool, StoreError> {
    let script = functions::script();
    let transaction = client.transaction().await?;
    let same = "select exists (select from codeteam.functions_applied where digest = md5($1))";
    if transaction.query_one(same, &[&script]).await?.get(0) {
        return Ok(false);
    }
    // Views and triggers are replaced under locks, and nearly every call begins with the jobs. Who takes those first seldom meets
    // a call that holds one of the others and waits for the next.
    transaction
        .batch_execute("lock table codeteam.jobs in access exclusive mode")
        .await
        .map_err(not_migrated)?;
    // Internal functions have no path of their own, and name their types within this one.
    transaction.batch_execute("set local search_path = codeteam, pg_temp").await?;
    transaction.batch_execute(&script).await.map_err(not_migrated)?;
    transaction
        .execute(
            "insert into codeteam.functions_applied (digest) values (md5($1))
             on conflict (only_row) do update set digest = excluded.digest, applied_at = clock_timestamp()",
            &[&script],
        )
        .await?;
    transaction.commit().await?;
    Ok(true)
}
