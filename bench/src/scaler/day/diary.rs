//! What happened to jobs and workers, and from it for how long jobs waited beside workers that had nothing to do.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// So many jobs came.
    Queued(usize),
    /// A worker came, or ended its job.
    Free,
    /// A worker took a job.
    Claimed,
    /// A worker without a job went.
    Gone,
}

#[derive(Default)]
pub struct Diary(Mutex<Vec<(Instant, Change)>>);

/// Jobs that waited while a worker was free.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Idling {
    /// The sum over all jobs, or over all free workers where those were fewer, in milliseconds.
    pub sum_ms: f64,
    /// The longest time on end in which there were both, in milliseconds.
    pub longest_ms: f64,
}

impl Diary {
    pub fn note(&self, at: Instant, change: Change) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((at, change));
    }

    pub fn idling(&self) -> Idling {
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        changes.sort_by_key(|&(at, _)| at);
        idling(&changes)
    }
}

fn idling(changes: &[(Instant, Change)]) -> Idling {
    let (mut waiting, mut free) = (0_i64, 0_i64);
    let (mut total, mut stretch_ms) = (Idling::default(), 0.0);
    let ends = changes.iter().skip(1).map(|&(at, _)| at);
    for (&(at, change), end) in changes.iter().zip(ends) {
        match change {
            Change::Queued(jobs) => waiting += jobs as i64,
            Change::Free => free += 1,
            Change::Claimed => (waiting, free) = (waiting - 1, free - 1),
            Change::Gone => free -= 1,
        }
        let both = waiting.min(free).max(0);
        let ms = (end - at).as_secs_f64() * 1e3;
        stretch_ms = if both > 0 { stretch_ms + ms } else { 0.0 };
        total.sum_ms += ms * both as f64;
        total.longest_ms = total.longest_ms.max(stretch_ms);
    }
    total
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn of(changes: &[(u64, Change)]) -> Idling {
        let start = Instant::now();
        let diary = Diary::default();
        for &(ms, change) in changes {
            diary.note(start + Duration::from_millis(ms), change);
        }
        diary.idling()
    }

    #[test]
    fn only_jobs_that_wait_beside_a_free_worker_count() {
        use Change::{Claimed, Free, Gone, Queued};
        // 100 ms without a worker, 5 ms until two jobs are taken by two workers, and a third waits for a busy one.
        let day = [
            (0, Queued(3)),
            (100, Free),
            (100, Free),
            (103, Claimed),
            (105, Claimed),
            (900, Free),
            (904, Claimed),
        ];
        assert_eq!(of(&day), Idling { sum_ms: 2.0 * 3.0 + 2.0 + 4.0, longest_ms: 5.0 });
        assert_eq!(of(&[(0, Free), (50, Gone), (60, Queued(1)), (500, Free), (501, Claimed)]).sum_ms, 1.0);
    }

    #[test]
    fn notes_may_come_out_of_order() {
        use Change::{Claimed, Free, Queued};
        let idling = of(&[(0, Free), (12, Claimed), (10, Queued(1)), (20, Free)]);
        assert_eq!(idling, Idling { sum_ms: 2.0, longest_ms: 2.0 });
    }
}
