//! Publishes metrics once a minute, in one call, beside everything else: whatever CloudWatch does, no wake waits for it.
//!
//! What is counted is counted once. A batch is made in the database, published, and only then forgotten there. When it is not known
//! whether a batch arrived (the call timed out, the scaler died), CloudWatch itself is asked before it is sent again: the heartbeat of that
//! minute has the batch's number. Until that is settled, figures of the moment are published alone, and counts wait in the database.

mod figures;
mod next;
mod peaks;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_client::Aws;
use store::{Batch, Database, Observation};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::aws::{Metrics, PutError};
use crate::look::Look;
use next::{Due, Next, due, next};
use peaks::Peaks;

/// In terms of the time between two calls: CloudWatch shows what it has taken some minutes later, and before that its answer proves nothing.
const SHOWN_AFTER: u32 = 5;

/// What was fetched so long ago is not sent.
const LATE: Duration = Duration::from_secs(10);

/// Publishes for the scaler with this id, as long as it leads.
pub struct Publisher {
    pub database: Arc<Database>,
    pub aws: Aws,
    pub scaler: Uuid,
    /// The epoch in which it leads. None: it does not.
    pub epoch: watch::Receiver<Option<i64>>,
    /// The last look. None: there was none, or another scaler leads.
    pub looks: watch::Receiver<Option<Look>>,
    /// When the sleeping scaler last heard of the database.
    pub heard: watch::Receiver<Option<Instant>>,
    metrics: Metrics,
    peaks: Peaks,
    /// The number of the last batch that was published.
    published: i64,
    /// The batch that was surely not recorded, if that was the last thing that happened.
    refused: Option<i64>,
    /// When the database was last asked for a batch, if nothing was left to be published then.
    emptied_at: Option<Instant>,
    /// Whether the last call failed: each outage is told once.
    failing: bool,
}

impl Publisher {
    /// A publisher that has not published yet.
    pub fn new(
        database: Arc<Database>,
        aws: Aws,
        scaler: Uuid,
        epoch: watch::Receiver<Option<i64>>,
        looks: watch::Receiver<Option<Look>>,
        heard: watch::Receiver<Option<Instant>>,
    ) -> Publisher {
        Publisher {
            database,
            metrics: Metrics::new(&aws),
            aws,
            scaler,
            epoch,
            looks,
            heard,
            peaks: Peaks::default(),
            published: 0,
            refused: None,
            emptied_at: None,
            failing: false,
        }
    }

    /// Publishes each time that `each` has passed, until it is told to stop.
    pub async fn run(mut self, each: Duration, stop: CancellationToken) {
        let mut minutes = interval(each);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Ok(()) = self.looks.changed() => {
                    if let Some(look) = &*self.looks.borrow_and_update() {
                        self.peaks.note(&look.seen);
                    }
                }
                _ = minutes.tick() => self.publish(each * SHOWN_AFTER).await,
            }
        }
    }

    async fn publish(&mut self, shown_after: Duration) {
        let (epoch, look) = (*self.epoch.borrow(), self.looks.borrow().clone());
        let (Some(epoch), Some(look)) = (epoch, look) else { return };
        let only_slept = self.emptied_at.is_some_and(|at| look.at < at && look.is_quiet());
        let unheard = self.heard.borrow().map(|at| at.elapsed());
        match due(only_slept, unheard) {
            Due::Nothing => return,
            Due::Figures => return self.put(self.aws.now(), &look.seen, None).await,
            Due::Counts => {}
        }
        let asked_at = Instant::now();
        let batch = match self.database.measure(self.scaler, epoch).await {
            Ok(Some(batch)) => batch,
            Ok(None) => return, // another one leads
            Err(error) => {
                return tracing::warn!(
                    "what is to be published cannot be read: {}",
                    service::exit::one_line(&error)
                );
            }
        };
        if asked_at.elapsed() > LATE {
            return; // this process was stopped meanwhile: somebody else may have taken it up
        }
        match next(batch.fresh, self.refused == Some(batch.id), batch.tried, shown_after) {
            Next::Put if batch.fresh => self.put(batch.at.into(), &look.seen, Some(&batch)).await,
            Next::Put => self.put_again(&batch, &look.seen, epoch).await,
            Next::Wait => self.put(self.aws.now(), &look.seen, None).await,
            Next::Ask => self.settle(&batch, &look.seen, epoch).await,
        }
        // An older batch left behind what was counted since it was made.
        if batch.fresh && self.published == batch.id {
            self.emptied_at = Some(asked_at);
        }
    }

    /// Finds out what became of a batch, and sends it again if it did not arrive.
    async fn settle(&mut self, batch: &Batch, seen: &Observation, epoch: i64) {
        let (name, service) = figures::HEARTBEAT;
        #[allow(clippy::cast_precision_loss)] // a batch a minute
        let number = batch.id as f64;
        match self.metrics.recorded(name, service, batch.at.into()).await {
            Ok(Some(value)) if value >= number => {
                tracing::info!(batch = batch.id, "a batch of metrics that was in doubt had arrived");
                self.forget(batch.id).await;
                self.put(self.aws.now(), seen, None).await;
            }
            Ok(_) => self.put_again(batch, seen, epoch).await,
            Err(error) => self.fails(&error),
        }
    }

    /// Not without saying so first: from then on it is in doubt again.
    async fn put_again(&mut self, batch: &Batch, seen: &Observation, epoch: i64) {
        match self.database.batch_tried(self.scaler, epoch, batch.id).await {
            Ok(true) => self.put(batch.at.into(), seen, Some(batch)).await,
            Ok(false) => {} // another one leads
            Err(error) => self.fails(&error),
        }
    }

    async fn put(&mut self, at: SystemTime, seen: &Observation, batch: Option<&Batch>) {
        let mut data = vec![figures::heartbeat(batch.map_or(self.published, |batch| batch.id))];
        if batch.is_none_or(|batch| batch.fresh) {
            // Of this moment, not of that of an older batch.
            data.extend(figures::of_the_moment(&self.peaks.take(seen)));
        }
        data.extend(batch.iter().flat_map(|batch| figures::counted(&batch.series)));
        match self.metrics.put(at, &data).await {
            Ok(()) => {
                if std::mem::take(&mut self.failing) {
                    tracing::info!("metrics are published again");
                }
                if let Some(batch) = batch {
                    self.forget(batch.id).await;
                }
            }
            Err(error) => {
                let surely_not = !matches!(error, PutError::InDoubt(_));
                self.refused = batch.filter(|_| surely_not).map(|batch| batch.id);
                self.fails(&error);
            }
        }
    }

    async fn forget(&mut self, batch: i64) {
        self.refused = None;
        self.published = batch;
        if let Err(error) = self.database.batch_published(batch).await {
            tracing::warn!(
                batch,
                "a published batch is asked about again: {}",
                service::exit::one_line(&error)
            );
        }
    }

    fn fails(&mut self, error: &(dyn std::error::Error + 'static)) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!("metrics are not published: {}", service::exit::one_line(error));
        }
    }
}
