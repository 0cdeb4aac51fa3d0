//! Whether this program may work with the schema that it finds: asked on every new connection, because a database may be
//! migrated while programs run. The same statement tells whether PostgreSQL itself is at the other end.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use crate::connection::Connection;
use crate::migrations::known_version;
use crate::row::one;
use crate::{StoreError, server_process};

/// Refuses a schema that this program cannot work with. Gives whether the connection goes through a pooler: then the server
/// process that answers is not the one that was named at login.
pub(crate) async fn check(connection: &Connection, within: Duration) -> Result<bool, StoreError> {
    let announced = server_process::announced(&connection.client).await?;
    let rows = match asked(connection, include_str!("../queries/compatibility.sql"), within).await {
        Err(error) if is_absent(&error) => return Err(older(connection, within).await?),
        other => other?,
    };
    let row = one(&rows)?;
    judge(row.get("version"), row.get("works_since"))?;
    Ok(row.get::<_, i32>("backend") != announced)
}

/// Refuses what [`check`] would, on a connection that has been open for a while: the error of a call may come from a schema that
/// changed since. That check's own errors are not the caller's.
pub(crate) async fn still_fits(connection: &Connection, within: Duration) -> Result<(), StoreError> {
    match check(connection, within).await {
        Err(refused @ (StoreError::SchemaOlder { .. } | StoreError::SchemaNewer { .. })) => Err(refused),
        _ => Ok(()),
    }
}

/// Refuses what is older than this program, and what is good for newer ones only.
pub(crate) fn judge(version: i32, works_since: i32) -> Result<(), StoreError> {
    let known = known_version();
    if version < known {
        return Err(StoreError::SchemaOlder { found: version, known });
    }
    if works_since > known {
        return Err(StoreError::SchemaNewer { found: version, works_since, known });
    }
    Ok(())
}

/// A schema from before compatibility was written down, or none at all.
async fn older(connection: &Connection, within: Duration) -> Result<StoreError, StoreError> {
    let found = match asked(connection, include_str!("../queries/schema_version.sql"), within).await {
        Err(error) if is_absent(&error) => 0,
        other => one(&other?)?.get(0),
    };
    Ok(StoreError::SchemaOlder { found, known: known_version() })
}

fn is_absent(error: &StoreError) -> bool {
    let absent = [SqlState::INVALID_SCHEMA_NAME, SqlState::UNDEFINED_FUNCTION, SqlState::UNDEFINED_TABLE];
    matches!(error, StoreError::Postgres(error) if error.code().is_some_and(|code| absent.contains(code)))
}

async fn asked(connection: &Connection, sql: &str, within: Duration) -> Result<Vec<Row>, StoreError> {
    match timeout(within, connection.client.query_typed(sql, &[])).await {
        Ok(rows) => Ok(rows?),
        Err(_) => Err(StoreError::TimedOut(within)),
    }
}
