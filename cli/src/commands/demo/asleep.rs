//! Waiting until the fleet has gone back to sleep.

use std::time::Duration;

use store::{Database, StoreError};
use tokio::time::{Instant, sleep};

/// Many times what the scaler should need.
const WITHIN: Duration = Duration::from_secs(30);
/// Nothing rings for a worker's end, so a demo looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long it took until no worker was there and the scaler wanted none; None: that was not seen in time.
pub async fn wait(database: &Database) -> Result<Option<Duration>, StoreError> {
    let began = Instant::now();
    while began.elapsed() < WITHIN {
        let wanted = database.decisions(1).await?.first().map_or(0, |decision| decision.target);
        if wanted == 0 && database.workers().await?.is_empty() {
            return Ok(Some(began.elapsed()));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(None)
}
