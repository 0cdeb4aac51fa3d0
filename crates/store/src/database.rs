//! A program's handle on the database: one connection, opened when it is needed and again when it broke.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use crate::connection::Connection;
use crate::{Config, StoreError, migrations};

/// One parameter of a statement: its value and its SQL type. Types are sent along, so that a statement is one round trip and
/// needs no prepared statement, which a transaction pooler could not keep.
pub(crate) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// A handle on the database. Cheap to share behind an [`Arc`].
pub struct Database {
    config: Config,
    current: Mutex<Option<Arc<Connection>>>,
}

impl Database {
    /// A handle that connects at its first use.
    pub fn new(config: Config) -> Database {
        Database { config, current: Mutex::new(None) }
    }

    /// Connects, and checks that the database's schema is the one that this program knows.
    pub async fn open(config: Config) -> Result<Database, StoreError> {
        let database = Database::new(config);
        migrations::check(&database).await?;
        Ok(database)
    }

    /// The live connection. Names are resolved anew at each connect: after a failover the address is another.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>, StoreError> {
        let mut current = self.current.lock().await;
        if let Some(connection) = current.as_ref().filter(|connection| connection.is_open()) {
            return Ok(connection.clone());
        }
        let connection = Arc::new(Connection::open(&self.config).await?);
        *current = Some(connection.clone());
        Ok(connection)
    }

    pub(crate) async fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        let connection = self.connection().await?;
        self.query_on(&connection, sql, params).await
    }

    pub(crate) async fn query_on(
        &self,
        on: &Connection,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let within = self.config.statement_timeout;
        match timeout(within, on.client.query_typed(sql, params)).await {
            Ok(rows) => Ok(rows?),
            Err(_) => {
                on.give_up();
                Err(StoreError::TimedOut(within))
            }
        }
    }

    pub(crate) async fn listen_on(&self, on: &Connection, channel: &str) -> Result<(), StoreError> {
        on.listen(channel, self.config.statement_timeout).await
    }

    /// Makes a call that may be made twice again and again, while its error is transient and until `deadline`.
    /// The pauses grow and are jittered, so that a fleet does not come back in step.
    pub async fn insist<T, F>(&self, deadline: Instant, mut call: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut backoff = Backoff::default();
        loop {
            match call().await {
                Err(error) if error.is_transient() => {
                    let pause = backoff.longer();
                    if Instant::now() + pause >= deadline {
                        return Err(error);
                    }
                    tracing::debug!(%error, "the database call is tried again");
                    sleep(pause).await;
                }
                other => return other,
            }
        }
    }
}

/// Pauses between tries: full jitter under a bound that doubles from 50 ms to 2 s.
#[derive(Debug, Default)]
pub struct Backoff {
    tries: u32,
}

impl Backoff {
    /// How long to pause before the next try.
    pub fn longer(&mut self) -> Duration {
        let bound = 50 << self.tries.min(6);
        self.tries += 1;
        Duration::from_millis(rand::rng().random_range(5..=bound.min(2_000)))
    }
}
