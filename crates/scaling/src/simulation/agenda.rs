//! What is known to happen, by time. What is entered first comes first among equals, so that a run can be repeated.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Something that will happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A worker is done with its job.
    Ended { worker: usize },
    /// A task's worker is up, unless it was stopped before.
    Up { worker: usize, life: u32 },
    /// A decision takes effect.
    Desired { workers: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    at: Duration,
    number: u64,
    event: Event,
}

// The heap gives the greatest, and the earliest is wanted.
impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What will happen.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Entry>,
    entered: u64,
}

impl Agenda {
    pub fn enter(&mut self, at: Duration, event: Event) {
        self.heap.push(Entry { at, number: self.entered, event });
        self.entered += 1;
    }

    pub fn next_at(&self) -> Option<Duration> {
        self.heap.peek().map(|entry| entry.at)
    }

    pub fn take(&mut self) -> Option<Event> {
        self.heap.pop().map(|entry| entry.event)
    }
}
