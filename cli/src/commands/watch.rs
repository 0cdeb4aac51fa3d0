//! Watching one job to its end: its events as they come, and the live line.

use std::sync::Arc;

use domain::{EventRecord, JobId};
use jiff::Timestamp;
use store::{Database, JobRow, ReadEvents};
use tokio::time::{Duration, Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::logs::is_end;
use super::outcome::JobResult;
use crate::error::CliError;
use crate::team::Scaler;
use crate::view::events::lines;
use crate::view::live::Live;
use crate::view::progress::Progress;

/// Why the watch ended.
#[derive(Debug)]
pub enum Seen {
    /// The job has ended.
    End,
    /// Somebody wants to stop.
    Stop,
    /// Nobody will do it, for this reason.
    NoWorker(String),
}

/// A job under watch.
pub struct Watch {
    database: Arc<Database>,
    id: JobId,
    events: ReadEvents,
    start: Timestamp,
    began: Instant,
    live: Live,
    progress: Progress,
    /// Every event so far.
    pub seen: Vec<EventRecord>,
}

impl Watch {
    /// Watches `job` from its first event. `steps`: the model calls that it may make.
    pub fn new(database: Arc<Database>, job: &JobRow, live: Live, steps: u32) -> Watch {
        let events = ReadEvents::new(database.clone(), job.id, 0);
        let progress = Progress::new(Some(steps));
        Watch {
            database,
            id: job.id,
            events,
            start: job.created_at,
            began: Instant::now(),
            live,
            progress,
            seen: vec![],
        }
    }

    /// Shows what happens until the job ends, or somebody wants to stop. May be called again after [`Seen::Stop`].
    pub async fn go_on(
        &mut self,
        mut scaler: Option<&mut Scaler>,
        stop: &CancellationToken,
    ) -> Result<Seen, CliError> {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let trouble = async {
                match &mut scaler {
                    Some(scaler) => scaler.trouble().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                batch = self.events.next() => {
                    let batch = batch?;
                    for record in &batch {
                        self.progress.take(record);
                        lines(record, self.start).iter().for_each(|line| self.live.line(line));
                    }
                    let ended = is_end(&batch);
                    self.seen.extend(batch);
                    if ended {
                        return Ok(Seen::End);
                    }
                }
                trouble = trouble => {
                    self.live.line(trouble.message());
                    if trouble.is_hopeless() {
                        return Ok(Seen::NoWorker(trouble.message().to_owned()));
                    }
                }
                () = stop.cancelled() => return Ok(Seen::Stop),
                _ = second.tick() => {}
            }
            self.live.show(&self.progress.line(), self.began.elapsed());
        }
    }

    /// Ends the watch, and gives the job's result as it stands now.
    pub async fn result(self) -> Result<JobResult, CliError> {
        let Watch { database, id, events, seen, live, .. } = self;
        drop(live);
        events.close().await?;
        Ok(JobResult::of(&database.job(id).await?, &seen))
    }
}
