//! Whether this scaler is the one that decides. On AWS several may run, and only the leader calls AWS; the others stand by.
//!
//! The leader knows by its own clock until when it may act, counted from before it asked. So one that was stopped for a minute and goes
//! on does nothing before it has asked again; see `sql/functions/lead.sql`.

use std::sync::Arc;
use std::time::Duration;

use store::{Database, Lead};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::patience::within;

/// With less time than this left, the lead is renewed: more than a call to AWS may take.
const RENEW: Duration = Duration::from_secs(5);
const _: () = assert!(RENEW.as_millis() > crate::aws::OPERATION.as_millis());
/// A database that does not answer for so long leaves the lead as it is.
const PATIENCE: Duration = Duration::from_secs(3);
/// A standby whose database is out of reach asks again after this.
const OUT_OF_REACH: Duration = Duration::from_secs(2);

/// How things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// This one leads, and has done so since it was asked last.
    Leads,
    /// This one leads from now on.
    TookOver,
    /// Another one does, or nobody can tell: to be asked again then.
    StandsBy { until: Instant },
}

/// This scaler's part in it.
pub struct Leadership {
    database: Arc<Database>,
    scaler: Uuid,
    epoch: watch::Sender<Option<i64>>,
    permit: watch::Sender<Option<Instant>>,
}

impl Leadership {
    /// Of the scaler with this id; it does not lead yet.
    pub fn new(database: Arc<Database>, scaler: Uuid) -> Leadership {
        Leadership { database, scaler, epoch: watch::Sender::new(None), permit: watch::Sender::new(None) }
    }

    /// Until when AWS may be called. None: not at all.
    pub fn permit(&self) -> watch::Receiver<Option<Instant>> {
        self.permit.subscribe()
    }

    /// The epoch in which this scaler leads. None: it does not.
    pub fn epoch(&self) -> watch::Receiver<Option<i64>> {
        self.epoch.subscribe()
    }

    /// Whether AWS may be called now. Who has just asked may, unless the process was stopped meanwhile.
    pub fn lasts(&self) -> bool {
        self.permit.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// Asks, if that is due. Waits out the time for which a predecessor may still act.
    pub async fn ask(&mut self) -> Standing {
        let now = Instant::now();
        if self.permit.borrow().is_some_and(|until| until > now + RENEW) {
            return Standing::Leads;
        }
        match within(PATIENCE, self.database.lead(self.scaler)).await {
            Ok(Lead::Mine { epoch, act_after, act_until }) => {
                let known = self.epoch.send_replace(Some(epoch));
                sleep_until(now + act_after).await;
                self.permit.send_replace(Some(now + act_until));
                if known == Some(epoch) { Standing::Leads } else { Standing::TookOver }
            }
            Ok(Lead::Anothers { ask_after }) => {
                self.lose();
                Standing::StandsBy { until: now + ask_after }
            }
            // Nobody else can take over either while the database is away; the permit ends by itself.
            Err(error) => {
                tracing::warn!("who leads cannot be asked: {error}");
                Standing::StandsBy { until: now + OUT_OF_REACH }
            }
        }
    }

    fn lose(&self) {
        if self.epoch.send_replace(None).is_some() {
            tracing::warn!("another scaler leads from now on");
        }
        self.permit.send_replace(None);
    }

    /// Gives the lead away, so that the next one need not wait.
    pub async fn resign(&mut self) {
        self.permit.send_replace(None);
        if self.epoch.send_replace(None).is_none() {
            return;
        }
        if let Err(error) = within(PATIENCE, self.database.resign(self.scaler)).await {
            tracing::warn!("the next scaler leads only when this one is missed: {error}");
        }
    }
}
