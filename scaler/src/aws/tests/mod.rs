//! The whole of this module against a real HTTP server on the loopback, which plays what AWS answers.

mod capacity;
mod failures;
mod leading;
mod metrics;
mod stand_in;

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_sdk_applicationautoscaling::config::Credentials;
use tokio::sync::watch;
use tokio::time::Instant;

use super::course::Pauses;
use super::{Capacity, Habits, Names, PATIENCE};
use aws_client::{Aws, Patience};

/// Long enough that no test reaches its end.
const HOUR: Duration = Duration::from_secs(3_600);

/// Settings for the server at `url`, and none of the machine's own.
fn settings(url: &str) -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-9"))
        .endpoint_url(url)
        .credentials_provider(Credentials::new("AKIDTEST", "test", None, None, "test"))
        .empty_test_environment()
}

fn patience() -> Patience {
    // A hang is waited for this long, so it is short; a loopback answers sooner by far.
    Patience { read: Duration::from_millis(500), operation: Duration::from_secs(1), ..PATIENCE }
}

async fn aws(url: &str) -> Aws {
    Aws::load_with(settings(url), patience()).await.unwrap()
}

/// After a failure it is tried again at once.
fn eager() -> Habits {
    Habits { random: Arc::new(|| 0.0), calm: Duration::ZERO, ..Habits::default() }
}

/// After a failure it is not tried again before the test has ended.
fn patient() -> Habits {
    let pauses = Pauses { first: HOUR, longest: HOUR, longest_for_somebody: HOUR };
    Habits { random: Arc::new(|| 1.0), pauses, ..eager() }
}

fn leading() -> watch::Sender<Option<Instant>> {
    watch::Sender::new(Some(Instant::now() + HOUR))
}

/// Capacity at the server at `url`, and the permit that must be kept for as long.
async fn capacity(url: &str, habits: Habits) -> (Capacity, watch::Sender<Option<Instant>>) {
    let permit = leading();
    (Capacity::start(&aws(url).await, Names::default(), habits, permit.subscribe()), permit)
}
