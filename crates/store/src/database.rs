//! A program's handle on the database: one connection, opened when it is needed and again when it broke.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use crate::connection::Connection;
use crate::{Config, StoreError, compatibility};

/// One parameter of a statement: its value and its SQL type. Types are sent along, so that a statement can be one round trip and
/// need no prepared statement, which a transaction pooler could not keep.
pub(crate) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// A handle on the database. Cheap to share behind an [`Arc`].
pub struct Database {
    config: Mutex<Config>,
    statement_timeout: Duration,
    current: Mutex<Option<Arc<Connection>>>,
}

impl Database {
    /// A handle that connects at its first use.
    pub fn new(config: Config) -> Database {
        let statement_timeout = config.statement_timeout;
        Database { config: Mutex::new(config), statement_timeout, current: Mutex::new(None) }
    }

    /// Connects, and checks that this program may work with the database's schema, as every later connect does again:
    /// [`StoreError::SchemaOlder`] or [`StoreError::SchemaNewer`] otherwise.
    pub async fn open(config: Config) -> Result<Database, StoreError> {
        let database = Database::new(config);
        database.connection().await?;
        Ok(database)
    }

    /// The same for a program that is going to wait at a [`crate::Doorbell`]: refuses a pooler at once, with
    /// [`StoreError::Pooled`], and not only when the program has nothing left to do.
    pub async fn open_to_listen(config: Config) -> Result<Database, StoreError> {
        let database = Database::new(config);
        if database.connection().await?.pooled {
            return Err(StoreError::Pooled);
        }
        Ok(database)
    }

    /// The live connection. Names are resolved anew at each connect: after a failover the address is another. So is the schema
    /// perhaps: it is looked at anew too.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>, StoreError> {
        let mut current = self.current.lock().await;
        if let Some(connection) = current.as_ref().filter(|connection| connection.is_open()) {
            return Ok(connection.clone());
        }
        let mut connection = self.connect().await?;
        connection.pooled = compatibility::check(&connection, self.statement_timeout).await?;
        let connection = Arc::new(connection);
        *current = Some(connection.clone());
        Ok(connection)
    }

    /// Connects; with a login that was renewed, if this one is refused.
    async fn connect(&self) -> Result<Connection, StoreError> {
        let mut config = self.config.lock().await;
        let refused = match Connection::open(&config).await {
            Err(error) if error.is_refused_login() => error,
            other => return other,
        };
        let asked = config.clone();
        match tokio::task::spawn_blocking(move || asked.renewed()).await {
            Ok(Some(Ok(renewed))) => {
                let connection = Connection::open(&renewed).await?;
                tracing::info!("the database's login had changed");
                *config = renewed;
                Ok(connection)
            }
            Ok(Some(Err(why))) => {
                tracing::warn!("the database refuses the login, and no other is to be had: {why}");
                Err(refused)
            }
            Ok(None) | Err(_) => Err(refused),
        }
    }

    pub(crate) async fn query(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let connection = self.connection().await?;
        self.query_on(&connection, sql, params).await
    }

    pub(crate) async fn query_on(
        &self,
        on: &Connection,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        match self.ask(on, sql, params).await {
            Err(error) if error.may_be_of_another_schema() => {
                compatibility::still_fits(on, self.statement_timeout).await?;
                if error.is_of_a_function_that_was_replaced() {
                    return self.ask(on, sql, params).await; // the call was refused half-way, and left nothing
                }
                Err(error)
            }
            other => other,
        }
    }

    async fn ask(
        &self,
        on: &Connection,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let within = self.statement_timeout;
        match timeout(within, on.query(sql, params)).await {
            Ok(answer) => Ok(answer?),
            Err(_) => {
                on.give_up();
                Err(StoreError::TimedOut(within))
            }
        }
    }

    pub(crate) async fn listen_on(&self, on: &Connection, channel: &str) -> Result<(), StoreError> {
        on.listen(channel, self.statement_timeout).await
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
