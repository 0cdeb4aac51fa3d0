//! Reading what the database answered.

use std::str::FromStr;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::StoreError;
use crate::error::innermost;

/// The row of a statement that gives exactly one.
pub(crate) fn one(rows: &[Row]) -> Result<&Row, StoreError> {
    rows.first().ok_or_else(|| StoreError::Unreadable("a row was expected, none came".into()))
}

/// A column's value. A value that this program cannot hold is an error of its row, not the end of the program.
pub(crate) fn cell<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> Result<T, StoreError> {
    row.try_get(column)
        .map_err(|error| StoreError::Unreadable(format!("column {column}: {}", innermost(&error))))
}

/// Reads a word of one of the domain's vocabularies.
pub(crate) fn read<T: FromStr>(text: &str) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| StoreError::Unreadable(error.to_string()))
}
