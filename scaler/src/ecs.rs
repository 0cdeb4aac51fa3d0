//! Workers as tasks on ECS: the actuator that speaks to Application Auto Scaling.
//!
//! Which tasks end when there are to be fewer is up to ECS, which leaves alone those that a worker protects while it holds a job. One that
//! hangs is ended by its container's health check. So a number is all that is to be set here; and a scaler that goes changes none.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use domain::{Mode, WorkerId};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::actuator::{Actuator, News};
use crate::aws::{Capacity, Outcome, Report};
use aws_client::{Aws, AwsError};

/// How long AWS may take to say what stands when a scaler begins; after that it is not known.
const FIND: Duration = Duration::from_secs(5);
/// Between two checks that what was set still holds.
const CHECK: Duration = Duration::from_secs(30);

/// The tasks of both services.
pub struct Tasks {
    aws: Aws,
    capacity: Capacity,
    wanted: HashMap<Mode, u32>,
    /// Counts the targets.
    ticket: i64,
    /// What keeps each mode's target from being set.
    troubles: BTreeMap<Mode, AwsError>,
    checked_at: Instant,
    news: Vec<News>,
}

impl Tasks {
    /// What `capacity` sets.
    pub fn new(aws: Aws, capacity: Capacity) -> Tasks {
        Tasks {
            aws,
            capacity,
            wanted: HashMap::new(),
            ticket: 0,
            troubles: BTreeMap::new(),
            checked_at: Instant::now(),
            news: Vec::new(),
        }
    }

    fn note(&mut self, report: Report) {
        let Report { mode, target, at, called_at, outcome, .. } = report;
        match outcome {
            Outcome::Set => {
                self.news.push(News::Called {
                    mode,
                    target,
                    at: instant(called_at.unwrap_or(at), self.aws.now()),
                });
                self.trouble(mode, None);
            }
            Outcome::Recovered => self.trouble(mode, None),
            Outcome::Failed(error) => self.trouble(mode, Some(error)),
            Outcome::Drifted { found_min, found_max } => {
                let bound = |n: Option<i32>| n.map_or_else(|| "none".to_owned(), |n| n.to_string());
                let (min, max) = (bound(found_min), bound(found_max));
                let message = format!(
                    "somebody set the {mode} workers' capacity to between {min} and {max}: it is set to {target} again"
                );
                self.news.push(News::Drifted { mode, message });
            }
        }
    }

    fn trouble(&mut self, mode: Mode, trouble: Option<AwsError>) {
        match trouble {
            Some(trouble) => self.troubles.insert(mode, trouble),
            None => self.troubles.remove(&mode),
        };
        let mut sentences: Vec<&str> = self.troubles.values().map(|error| error.sentence.as_str()).collect();
        sentences.dedup();
        self.news.push(News::Trouble((!sentences.is_empty()).then(|| sentences.join("; "))));
    }
}

#[async_trait]
impl Actuator for Tasks {
    async fn take_over(&mut self) {
        self.wanted.clear();
        self.checked_at = Instant::now();
        let found = timeout(FIND, self.capacity.found()).await;
        let error = match found {
            Ok(Ok(found)) => return tracing::info!(?found, "this scaler leads"),
            Ok(Err(error)) => service::exit::one_line(&error),
            Err(_) => "AWS does not answer".to_owned(),
        };
        tracing::warn!("this scaler leads, and does not know what stands: {error}");
    }

    async fn set(&mut self, mode: Mode, target: u32, _busy: &HashSet<WorkerId>) {
        if self.wanted.insert(mode, target) != Some(target) {
            self.ticket += 1;
            self.capacity.set(mode, target, self.ticket);
        } else if self.checked_at.elapsed() > CHECK {
            self.checked_at = Instant::now();
            self.capacity.check();
        }
    }

    fn standing(&self, mode: Mode) -> Option<u32> {
        self.capacity.standing(mode)
    }

    fn workers(&self) -> Vec<WorkerId> {
        Vec::new()
    }

    fn end_silent(&mut self, _silent: &HashSet<WorkerId>) {}

    async fn changed(&mut self) {
        let report = self.capacity.report().await;
        self.note(report);
    }

    fn news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    async fn stop(self, _now: &CancellationToken) {
        self.capacity.stop().await;
    }
}

/// A moment by the wall clock as one of the clock that only goes forward.
fn instant(at: SystemTime, now: SystemTime) -> Instant {
    let ago = now.duration_since(at).unwrap_or_default();
    Instant::now().checked_sub(ago).unwrap_or_else(Instant::now)
}
