//! One attempt at one job, from claim to its last word.

use std::time::Duration;

use agent::{Brief, Conclusion, Halt, Monotonic, Ports};
use domain::{Event, ExitReason, JobState, Outcome, Retry, state_after};
use forge::FileStatus;
use rand::RngExt;
use store::{Claimed, Journal, StoreError};
use tokio::time::Instant;

use crate::deliver::{self, Delivery, Target};
use crate::end::End;
use crate::lease::{Lease, write_until};
use crate::ports::{Books, Refusal};
use crate::scratch::Scratch;
use crate::worker::Worker;
use crate::{model, prepare};

/// The part of a job's time in which its end is written down.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Works on a claimed job and writes down how it ended. `asked_at` is when the claim was asked for: the job's time runs from
/// there.
pub async fn work_on(worker: &Worker, claimed: Claimed, asked_at: Instant) {
    let job = claimed.claim.job;
    tracing::info!(%job, attempt = %claimed.claim.attempt, task = %claimed.job.task, "claimed");
    let journal = Journal::new(worker.database.clone(), claimed.claim, claimed.seq);
    let lease = Lease::keep(
        worker.database.clone(),
        claimed.claim,
        asked_at,
        worker.stop.clone(),
        worker.settings.drain(),
    );
    let (end, target) = match open(worker, &claimed, &lease, asked_at).await {
        Ok(target) => match attempt(worker, &claimed, &target, &journal, &lease, asked_at).await {
            Ok(end) | Err(end) => (end, Some(target)),
        },
        Err(end) => (end, None),
    };
    // Whatever the work made of it: without the lease nothing is written.
    let end = if lease.halted() == Some(Halt::LeaseLost) { End::Lost } else { end };
    let last_words = target.as_ref().and_then(|target| target.last_words(&end));
    let is_over = match record(worker, &claimed, &journal, end).await {
        Ok(Some(state)) => {
            tracing::info!(%job, %state, "the attempt is over");
            state.is_final()
        }
        Ok(None) => {
            tracing::warn!(%job, "the lease is lost: another worker goes on with it");
            false
        }
        Err(error) => {
            tracing::error!(%job, "the end could not be written: {}", service::exit::one_line(&error));
            false
        }
    };
    // Who is told to go has no time for it, and who lost the lease has nothing to say.
    if let Some(target) = target
        && matches!(lease.halted(), None | Some(Halt::Cancelled))
    {
        target.close(worker, job, last_words.filter(|_| is_over)).await;
    }
}

/// Finds the way to where the job's result goes.
async fn open(worker: &Worker, claimed: &Claimed, lease: &Lease, started: Instant) -> Result<Target, End> {
    // It was told to go while it claimed: another worker starts what this one could not finish.
    if worker.stop.is_draining() {
        return Err(Halt::Interrupted.into());
    }
    let deadline = started + worker.settings.caps(&claimed.job.caps).time;
    lease.race(Target::open(worker, &claimed.job, deadline)).await?
}

async fn attempt(
    worker: &Worker,
    claimed: &Claimed,
    target: &Target,
    journal: &Journal,
    lease: &Lease,
    started: Instant,
) -> Result<End, End> {
    let caps = worker.settings.caps(&claimed.job.caps);
    let deadline = started + caps.time;
    let scratch = Scratch::new(&worker.work_dir)?;
    let resumed = lease.race(prepare::resume(worker, claimed, deadline)).await??;
    let model = model::chain(worker, claimed, &resumed)?;
    let place = lease
        .race(prepare::checkout(worker, claimed, target, &resumed, journal, &scratch, deadline))
        .await??;
    lease.race(target.begin(worker, claimed.claim.job, place.mirror.commit(), deadline)).await?;
    let brief = Brief {
        task: claimed.job.task,
        prompt: claimed.job.prompt.clone(),
        test_command: claimed.job.test_command.clone(),
        changes: place.changes.as_ref().map(reviewed),
        caps,
        started,
        delivery_reserve: deliver::reserve(caps.time),
        resumed,
    };
    let books = Books::new(journal, &worker.stop);
    let ports =
        Ports { model: &model, journal: &books, workspace: &place, clock: &Monotonic, halt: lease.halt() };
    let mut conclusion = agent::run(brief, ports).await;
    match books.refusal.into_inner() {
        Some(Refusal::Now { worst_case }) => return Ok(End::OutOfBudget { worst_case }),
        Some(Refusal::Never(why)) => conclusion.error = Some(why),
        None => {}
    }
    match conclusion {
        Conclusion { halt: Some(Halt::Cancelled), ref diff, .. } => Ok(End::Done {
            outcome: Outcome::None,
            reason: ExitReason::Cancelled,
            error: None,
            events: unfinished(diff.clone()),
        }),
        Conclusion { halt: Some(halt), .. } if halt != Halt::Budget => Err(halt.into()),
        // Where no other attempt would do better, what there is is held against the code like everything else.
        Conclusion { failure: Some(failure), ref error, exit_reason, .. }
            if failure.retry() != Retry::Never || !has_result(&conclusion) =>
        {
            let error = error.clone();
            Ok(End::refused(failure, error.unwrap_or_else(|| exit_reason.to_string())))
        }
        conclusion => {
            let delivery = Delivery {
                worker,
                claimed,
                place: &place,
                scratch: &scratch,
                target,
                reserve: deliver::reserve(caps.time),
                // What is written down last takes its time, too.
                deadline: deadline - LAST_WORDS,
            };
            lease.race(deliver::deliver(delivery, conclusion)).await?
        }
    }
}

fn has_result(conclusion: &Conclusion) -> bool {
    conclusion.diff.is_some() || conclusion.report.is_some() || conclusion.findings.is_some()
}

/// The changes under review, as the agent lists them.
fn reviewed(changes: &forge::Changes) -> agent::Changes {
    let listed = |file: &forge::ChangedFile| match (&file.from, file.status) {
        (Some(from), _) => format!("{} (was {from})", file.path),
        (None, FileStatus::Added) => format!("{} (new)", file.path),
        (None, FileStatus::Deleted) => format!("{} (gone)", file.path),
        (None, _) => file.path.clone(),
    };
    agent::Changes {
        files: changes.files.iter().map(listed).collect(),
        diff: changes.diff.clone(),
        is_cut: changes.is_cut,
    }
}

/// What a cancelled job had done so far is kept, though nothing vouches for it.
fn unfinished(diff: Option<String>) -> Vec<Event> {
    let diff = diff.filter(|diff| !diff.is_empty());
    let summary = "cancelled; this is what was there".to_owned();
    diff.map(|diff| Event::Delivered { diff: Some(diff), report: None, summary, findings: Vec::new() })
        .into_iter()
        .collect()
}

/// Writes the end down. None: the job is not this worker's any more.
async fn record(
    worker: &Worker,
    claimed: &Claimed,
    journal: &Journal,
    end: End,
) -> Result<Option<JobState>, StoreError> {
    let (claim, database) = (&claimed.claim, &worker.database);
    let soon = write_until();
    let written = match end {
        End::Lost => return Ok(None),
        End::Done { outcome, reason, error, events } => {
            let state = state_after(outcome, reason);
            journal.finish((state, outcome, reason), error.as_deref(), &events, soon).await
        }
        End::GivenBack { reason } => {
            database.insist(soon, || database.release(claim, &reason)).await.map(|()| JobState::Queued)
        }
        End::OutOfBudget { worst_case } => {
            let waits = || database.wait_for_budget(claim, worst_case);
            database.insist(soon, waits).await.map(|()| JobState::Queued)
        }
        End::Failed { failure, error, events } => {
            match journal.append(&events, soon).await {
                Err(StoreError::StaleLease(_)) => return Ok(None),
                // That it failed is written all the same.
                Err(error) => tracing::error!(
                    job = %claim.job,
                    "the result could not be kept: {}",
                    service::exit::one_line(&error)
                ),
                Ok(()) => {}
            }
            let wait = failure.retry().pause(claimed.failures, rand::rng().random_range(0.0..1.0));
            let reason = failure.exit_reason();
            database.insist(soon, || database.fail_attempt(claim, reason, &error, wait)).await
        }
    };
    match written {
        Err(StoreError::StaleLease(_)) => Ok(None),
        other => other.map(Some),
    }
}
