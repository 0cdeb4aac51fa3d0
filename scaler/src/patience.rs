//! Asking the database for no longer than it is worth.

use std::time::Duration;

use store::StoreError;
use tokio::time::timeout;

/// The answer, or why there is none, in words. An answer that takes longer than `patience` is none.
pub async fn within<T>(
    patience: Duration,
    asking: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, String> {
    match timeout(patience, asking).await {
        Ok(answer) => answer.map_err(|error| service::exit::one_line(&error)),
        Err(_) => Err("the database is slow".to_owned()),
    }
}
