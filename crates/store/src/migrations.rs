//! Brings a database to this program's schema, however many programs try at once.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::connection::Connection;
use crate::{Config, Database, StoreError, functions};

mod embedded {
    refinery::embed_migrations!("../../sql/migrations");
}

/// Held while migrating; the number is arbitrary ("codeteam" in ASCII) and means the same in every version.
const LOCK: i64 = 0x636f_6465_7465_616d;
const HISTORY: &str = "codeteam.schema_history";

/// What [`migrate`] found to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The schema's version now.
    pub version: i32,
    /// The migrations that ran, by name.
    pub applied: Vec<String>,
    /// Whether the functions were put in place anew.
    pub functions_replaced: bool,
}

/// The last migration that this program knows.
fn known_version() -> i32 {
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
/// A database that is newer than this program is left as it is, with [`StoreError::SchemaNewer`].
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
    client.batch_execute("set client_min_messages = warning; set lock_timeout = '60s'").await?;
    client.batch_execute(&format!("select pg_advisory_lock({LOCK})")).await?;
    let (found, known) = (applied_version(client).await?, known_version());
    if found > known {
        return Err(StoreError::SchemaNewer { found, known });
    }
    client.batch_execute("create schema if not exists codeteam").await?;
    let mut runner = embedded::migrations::runner();
    runner.set_migration_table_name(HISTORY);
    let report = runner.run_async(client).await.map_err(|error| StoreError::Migration(Box::new(error)))?;
    Ok(Migrated {
        version: known,
        applied: report.applied_migrations().iter().map(ToString::to_string).collect(),
        functions_replaced: replace_functions(client).await?,
    })
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

/// A change of a function after a release comes with a migration, so that an older program refuses this database instead of
/// putting its own text back.
async fn replace_functions(client: &mut Client) -> Result<bool, StoreError> {
    let script = functions::script();
    let transaction = client.transaction().await?;
    let same = "select exists (select from codeteam.functions_applied where digest = md5($1))";
    if transaction.query_one(same, &[&script]).await?.get(0) {
        return Ok(false);
    }
    // Internal functions have no path of their own, and name their types within this one.
    transaction.batch_execute("set local search_path = codeteam, pg_temp").await?;
    transaction.batch_execute(&script).await.map_err(|error| StoreError::Migration(Box::new(error)))?;
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

/// Refuses a schema that this program does not know.
pub(crate) async fn check(database: &Database) -> Result<(), StoreError> {
    let known = known_version();
    let absent = [SqlState::INVALID_SCHEMA_NAME, SqlState::UNDEFINED_FUNCTION, SqlState::UNDEFINED_TABLE];
    let found = match database.query(include_str!("../queries/schema_version.sql"), &[]).await {
        Ok(rows) => rows.first().map_or(0, |row| row.get(0)),
        Err(StoreError::Postgres(error)) if error.code().is_some_and(|code| absent.contains(code)) => 0,
        Err(other) => return Err(other),
    };
    match found {
        found if found < known => Err(StoreError::SchemaOlder { found, known }),
        found if found > known => Err(StoreError::SchemaNewer { found, known }),
        _ => Ok(()),
    }
}
