//! Deletes old history: the scaler does it because it is always there.
//!
//! In small batches one after the other while there is something to delete, and then hardly ever, so that an idle database is left in
//! peace. A batch takes milliseconds: it shares the connection on which the scaler looks at the queue.

use std::sync::Arc;
use std::time::Duration;

use store::{Database, SweptBatch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Jobs and events of one batch.
const BATCH: (u32, u32) = (100, 5_000);
/// Between two batches at least.
const BREATH: Duration = Duration::from_millis(200);
/// Between two batches in terms of the one before: however slow the database is, four fifths of its time are for others.
const BREATHS_PER_BATCH: u32 = 4;
/// Jobs become due one by one; they are collected for so long.
const COLLECT: Duration = Duration::from_secs(10 * 60);
/// Nothing is in sight. But a person may acknowledge an old dead job, or change the setting of another scaler.
const REST: Duration = Duration::from_secs(60 * 60);

/// Deletes what finished more than `keep_days` days ago (0: nothing), until it is told to stop.
pub async fn run(database: Arc<Database>, keep_days: u32, stop: CancellationToken) {
    if keep_days == 0 {
        return;
    }
    let mut swept_jobs = 0;
    loop {
        let began = Instant::now();
        let swept = match database.sweep_history(keep_days, BATCH.0, BATCH.1).await {
            Ok(swept) => Some(swept),
            Err(error) => {
                tracing::warn!("old history is not deleted: {}", service::exit::one_line(&error));
                None
            }
        };
        swept_jobs += swept.map_or(0, |swept| swept.jobs);
        if swept_jobs > 0 && !swept.is_some_and(|swept| swept.more) {
            tracing::info!(jobs = swept_jobs, keep_days, "deleted old history");
            swept_jobs = 0;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(rest(swept.as_ref(), began.elapsed())) => {}
        }
    }
}

/// How long to wait after a batch, which took so long. None: it could not be done.
fn rest(swept: Option<&SweptBatch>, took: Duration) -> Duration {
    match swept {
        None => COLLECT,
        Some(swept) if swept.more => BREATH.max(took * BREATHS_PER_BATCH),
        Some(swept) => swept.next_due.map_or(REST, |due| due.clamp(COLLECT, REST)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(5);

    fn swept(more: bool, next_due: Option<u64>) -> SweptBatch {
        SweptBatch { jobs: 1, events: 1, more, next_due: next_due.map(Duration::from_secs) }
    }

    #[test]
    fn batches_follow_one_another_while_there_is_more_and_leave_a_slow_database_its_time() {
        assert_eq!(rest(Some(&swept(true, Some(0))), QUICK), BREATH);
        assert_eq!(rest(Some(&swept(true, None)), Duration::from_secs(3)), Duration::from_secs(12));
    }

    #[test]
    fn when_nothing_is_left_it_rests_until_the_next_is_due_but_looks_each_hour() {
        assert_eq!(rest(Some(&swept(false, None)), QUICK), REST);
        assert_eq!(rest(Some(&swept(false, Some(86_400))), QUICK), REST);
        assert_eq!(rest(Some(&swept(false, Some(1_800))), QUICK), Duration::from_secs(1_800));
        assert_eq!(rest(Some(&swept(false, Some(0))), QUICK), COLLECT, "the next ones are collected");
    }

    #[test]
    fn a_database_that_does_not_answer_is_not_pressed() {
        assert_eq!(rest(None, Duration::from_secs(10)), COLLECT);
    }

    /// A safety look each 33 s in the mean leaves room for eleven statements an hour.
    #[test]
    fn with_a_trickle_of_old_jobs_it_makes_few_statements() {
        let hour = Duration::from_secs(3_600);
        assert!(hour.div_duration_f64(rest(Some(&swept(false, Some(1))), QUICK)) <= 11.0);
    }
}
