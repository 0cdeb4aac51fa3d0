//! Carries what is to be written down to a task of its own: neither a decision nor the lead waits until the database has taken a word, and
//! the connection on which that takes long is not the one that carries them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::Mode;
use scaling::{Decision, Limits};
use store::ModeObservation;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::actuator::News;
use crate::chronicle::Chronicle;

/// How long a scaler that goes waits for its last words to be written.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Something to be written down.
enum Entry {
    TookOver(Vec<(Mode, Limits)>),
    Decided {
        mode: Mode,
        previous: u32,
        decision: Decision,
        seen: Box<ModeObservation>,
        at: Instant,
    },
    Heard(News),
    /// A turn is over; `needed`: jobs or workers need tending.
    Turned {
        needed: bool,
    },
}

/// The way to the task that writes.
pub struct Scribe {
    entries: mpsc::UnboundedSender<Entry>,
    /// A turn's end is on its way already: one is enough, however long it takes.
    turning: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Scribe {
    /// Starts the task. `sla`: how long a job may run before it is stuck.
    pub fn start(chronicle: Chronicle, sla: Duration) -> Scribe {
        let (entries, inbox) = mpsc::unbounded_channel();
        let turning = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(write(chronicle, inbox, turning.clone(), sla));
        Scribe { entries, turning, task }
    }

    /// This scaler decides from now on, within these limits of its own.
    pub fn took_over(&self, own: Vec<(Mode, Limits)>) {
        self.send(Entry::TookOver(own));
    }

    /// Another target was decided at `at`.
    pub fn decided(
        &self,
        mode: Mode,
        previous: u32,
        decision: &Decision,
        seen: &ModeObservation,
        at: Instant,
    ) {
        let seen = Box::new(seen.clone());
        self.send(Entry::Decided { mode, previous, decision: *decision, seen, at });
    }

    /// What the hands told.
    pub fn heard(&self, news: News) {
        self.send(Entry::Heard(news));
    }

    /// A turn is over; `needed`: jobs or workers need tending.
    pub fn turned(&self, needed: bool) {
        if !self.turning.swap(true, Ordering::AcqRel) {
            self.send(Entry::Turned { needed });
        }
    }

    fn send(&self, entry: Entry) {
        // The task ends only after this.
        _ = self.entries.send(entry);
    }

    /// Waits until all is written, for a bounded time.
    pub async fn close(self) {
        drop(self.entries);
        if timeout(LAST_WORDS, self.task).await.is_err() {
            tracing::warn!("not everything was written down");
        }
    }
}

async fn write(
    mut chronicle: Chronicle,
    mut inbox: mpsc::UnboundedReceiver<Entry>,
    turning: Arc<AtomicBool>,
    sla: Duration,
) {
    while let Some(entry) = inbox.recv().await {
        match entry {
            Entry::TookOver(own) => chronicle.took_over(&own).await,
            Entry::Decided { mode, previous, decision, seen, at } => {
                chronicle.decided(mode, previous, &decision, &seen, at).await;
            }
            Entry::Heard(news) => chronicle.heard(news).await,
            Entry::Turned { needed } => {
                turning.store(false, Ordering::Release);
                chronicle.report().await;
                if needed || chronicle.follows_a_wake() {
                    chronicle.tend(sla).await;
                }
            }
        }
    }
}
