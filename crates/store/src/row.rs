//! Reading what the database answered.

use std::str::FromStr;

use tokio_postgres::Row;

use crate::StoreError;

/// The row of a statement that gives exactly one.
pub(crate) fn one(rows: &[Row]) -> Result<&Row, StoreError> {
    rows.first().ok_or_else(|| StoreError::Unreadable("a row was expected, none came".into()))
}

/// Reads a word of one of the domain's vocabularies.
pub(crate) fn read<T: FromStr>(text: &str) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| StoreError::Unreadable(error.to_string()))
}
