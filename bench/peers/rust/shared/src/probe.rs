//! What the handlers tell: that a job has started, and when.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio::sync::mpsc;

/// The handlers' end. All clones count together.
#[derive(Clone, Debug)]
pub struct Probe(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    count: AtomicU64,
    first: OnceLock<Instant>,
    starts: Option<mpsc::UnboundedSender<Instant>>,
}

impl Probe {
    /// A probe that counts, and remembers when the first job started.
    pub(crate) fn counting() -> Probe {
        Probe::new(None)
    }

    /// A probe that also tells when each job started.
    pub(crate) fn telling() -> (Probe, mpsc::UnboundedReceiver<Instant>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Probe::new(Some(sender)), receiver)
    }

    fn new(starts: Option<mpsc::UnboundedSender<Instant>>) -> Probe {
        Probe(Arc::new(Inner { count: AtomicU64::new(0), first: OnceLock::new(), starts }))
    }

    /// To be called first thing in the handler of each job.
    pub fn started(&self) {
        let now = Instant::now();
        let _ = self.0.first.get_or_init(|| now);
        self.0.count.fetch_add(1, Ordering::Relaxed);
        if let Some(starts) = &self.0.starts {
            // Nobody listens any more once the last round is over.
            let _ = starts.send(now);
        }
    }

    /// Jobs started so far.
    pub(crate) fn count(&self) -> u64 {
        self.0.count.load(Ordering::Relaxed)
    }

    /// When the first job started; None before.
    pub(crate) fn first(&self) -> Option<Instant> {
        self.0.first.get().copied()
    }
}
