//! Running a statement: prepared once on a connection that is kept, in one round trip through a pooler, where the next transaction
//! has another server process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row, Statement};

use crate::database::Param;

/// What one connection has prepared, by its text. The texts are the program's own files: a few dozen.
#[derive(Default)]
pub(crate) struct Statements(Mutex<HashMap<&'static str, Statement>>);

impl Statements {
    /// Runs it prepared: to parse and plan the call of a function with two dozen columns takes longer than a short function.
    pub(crate) async fn run(
        &self,
        client: &Client,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, Error> {
        let statement = self.prepared(client, sql, params).await?;
        let values: Vec<&(dyn ToSql + Sync)> = params.iter().map(|(value, _)| *value).collect();
        match client.query(&statement, &values).await {
            // A migration has changed what its function gives. It was refused before it did anything.
            Err(error) if error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED) => {
                self.all().remove(sql);
                client.query_typed(sql, params).await
            }
            other => other,
        }
    }

    async fn prepared(
        &self,
        client: &Client,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Statement, Error> {
        if let Some(statement) = self.all().get(sql) {
            return Ok(statement.clone());
        }
        let types: Vec<Type> = params.iter().map(|(_, kind)| kind.clone()).collect();
        let statement = client.prepare_typed(sql, &types).await?;
        self.all().insert(sql, statement.clone());
        Ok(statement)
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Statement>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
