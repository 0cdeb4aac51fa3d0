//! What can go wrong with the database, sorted by what the caller can do about it.

use std::time::Duration;

use tokio_postgres::error::SqlState;

/// An error of the store. `is_transient` says whether the same call may succeed later.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DATABASE_URL cannot be used.
    #[error("DATABASE_URL cannot be used: {0}")]
    Config(String),
    /// There is no connection, or it broke during the call: whether the call took effect is not known.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database did not answer in time; the connection is given up.
    #[error("the database did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// This attempt of the job is no longer held: stop working on it.
    #[error("the lease is lost: {0}")]
    StaleLease(String),
    /// There is no such job.
    #[error("{0}: `codeteam jobs` lists them")]
    UnknownJob(String),
    /// Only a registered worker may claim.
    #[error("{0}")]
    UnknownWorker(String),
    /// The job's state does not allow that.
    #[error("{0}")]
    WrongState(String),
    /// Another job that is open has the same dedupe key.
    #[error("{0}")]
    Duplicate(String),
    /// A job is to come after others, and that cannot be: they are not there, ended without success, or come after it.
    #[error("{0}")]
    InvalidAfter(String),
    /// A model call is settled that was never reserved.
    #[error("{0}")]
    Unreserved(String),
    /// The queue's order and its counts are exact at READ COMMITTED only, and this role's transactions are others.
    #[error("{0}: set default_transaction_isolation to 'read committed' for this role")]
    Isolation(String),
    /// The job's cost cap has no room for the call, or a whole budget has not.
    #[error("{0}")]
    CostCap(String),
    /// A budget has no room for the call now: the job is to wait, see [`crate::Database::wait_for_budget`].
    #[error("{0}")]
    BudgetSpent(String),
    /// A rule of the tables was broken by what was asked for.
    #[error("the database refused it: {0}")]
    Invalid(String),
    /// The database has no codeteam schema, or one older than this program's.
    #[error(
        "the database's schema is version {found}, this program needs {known}: run `codeteam migrate` first"
    )]
    #[allow(missing_docs)]
    SchemaOlder { found: i32, known: i32 },
    /// The database has been migrated by a newer program, and older ones no longer work with it.
    #[error(
        "the database's schema is version {found} and works for programs from version {works_since}, this program is of \
         version {known}: use a newer codeteam"
    )]
    #[allow(missing_docs)]
    SchemaNewer { found: i32, works_since: i32, known: i32 },
    /// Somebody wants to wait at the doorbell through a connection pooler.
    #[error(
        "DATABASE_URL leads through a connection pooler, which hands on no notifications: give this program one that leads \
         straight to PostgreSQL"
    )]
    Pooled,
    /// Somebody else holds a lock for longer than was waited.
    #[error(
        "the database is locked by somebody else, perhaps by another migration: try again when that is done"
    )]
    Locked,
    /// Only the database's owner may migrate it.
    #[error("this role may not migrate the database: give the DATABASE_URL of the role that owns it")]
    NotOwner,
    /// A migration did not run through.
    #[error("the database could not be migrated")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row did not hold what this program expects.
    #[error("the database answered with what this program cannot read: {0}")]
    Unreadable(String),
    /// Anything else that PostgreSQL said.
    #[error("the database answered with an error")]
    Postgres(#[source] tokio_postgres::Error),
}

impl StoreError {
    /// Whether the error may be that of a program whose database got another schema while it ran.
    pub(crate) fn may_be_of_another_schema(&self) -> bool {
        matches!(self, StoreError::Postgres(_) | StoreError::Invalid(_)) && !self.is_transient()
    }

    /// Another password, or another role, is what helps.
    pub(crate) fn is_refused_login(&self) -> bool {
        let codes = [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION];
        matches!(self, StoreError::Postgres(error) if error.code().is_some_and(|code| codes.contains(code)))
    }

    /// A function that was at work while a migration replaced those that it calls.
    pub(crate) fn is_of_a_function_that_was_replaced(&self) -> bool {
        matches!(self, StoreError::Postgres(error) if error.code() == Some(&SqlState::UNDEFINED_FUNCTION))
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            StoreError::Unreachable(_) | StoreError::TimedOut(_) => true,
            StoreError::Postgres(error) => error.code().is_some_and(is_transient_code),
            _ => false,
        }
    }
}

/// Shutting down, starting up, full, or a conflict with another transaction.
fn is_transient_code(code: &SqlState) -> bool {
    [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::READ_ONLY_SQL_TRANSACTION, // a failover is under way
    ]
    .contains(code)
}

/// The message of the last cause: the driver's outer ones only name the kind of the error.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            return StoreError::Unreachable(Box::new(error));
        };
        let message = db.message().to_owned();
        match db.code().code() {
            "QJ001" => StoreError::StaleLease(message),
            "QJ002" => StoreError::WrongState(message),
            "QJ003" => StoreError::UnknownJob(message),
            "QJ004" => StoreError::CostCap(message),
            "QJ005" => StoreError::Unreserved(message),
            "QJ006" => StoreError::UnknownWorker(message),
            "QJ007" => StoreError::Invalid(message),
            "QJ008" => StoreError::Duplicate(message),
            "QJ009" => StoreError::Isolation(message),
            "QJ010" => StoreError::BudgetSpent(message),
            "QJ011" => StoreError::InvalidAfter(message),
            "55P03" => StoreError::Locked,
            // Connection exceptions, which a pooler answers with while the server behind it is away.
            code if code.starts_with("08") => StoreError::Unreachable(Box::new(error)),
            code if code.starts_with("22") || code.starts_with("23") => StoreError::Invalid(message),
            _ => StoreError::Postgres(error),
        }
    }
}
