//! Before the agent starts: where the job stands, and its checkout.

use agent::{Resumed, Spent};
use domain::{Event, EventRecord};
use store::{Claimed, Journal};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::deliver::Target;
use crate::end::End;
use crate::ports::Place;
use crate::scratch::Scratch;
use crate::setup;
use crate::worker::Worker;

/// The job's journal so far: what a resumed attempt goes on from.
pub async fn resume(worker: &Worker, claimed: &Claimed, deadline: Instant) -> Result<Resumed, End> {
    const PAGE: i32 = 500;
    let mut events: Vec<EventRecord> = Vec::new();
    loop {
        let after = events.last().map_or(0, |record| record.seq);
        let read = || worker.database.events(claimed.claim.job, after, PAGE);
        let page = worker.database.insist(deadline, read).await?;
        let done = page.len() < PAGE as usize;
        events.extend(page);
        if done {
            let lost =
                Spent { calls: claimed.lost_calls, tokens: claimed.lost_tokens, cost: claimed.lost_cost };
            return Ok(Resumed::from_events(&events).with_lost(lost));
        }
    }
}

/// The checkout at the job's commit, with what earlier attempts did in it.
pub async fn checkout(
    worker: &Worker,
    claimed: &Claimed,
    target: &Target,
    resumed: &Resumed,
    journal: &Journal,
    scratch: &Scratch,
    deadline: Instant,
) -> Result<Place, End> {
    let job = &claimed.job;
    let mirror = target.fetch(job, resumed.commit(), scratch, deadline).await?;
    if resumed.commit().is_none() {
        let checked_out = Event::CheckedOut { commit: mirror.commit().to_owned() };
        let note = target.note().map(|message| Event::Noted { message });
        let events: Vec<Event> = [checked_out].into_iter().chain(note).collect();
        journal.append(&events, deadline).await?;
    }
    let workspace = mirror.checkout(&scratch.path("workspace")).await?;
    worker.sandbox.adopt(workspace.path())?;
    let place = Place {
        changes: mirror.changes().await?,
        mirror,
        workspace,
        sandbox: worker.sandbox.clone(),
        redaction: worker.redaction.clone(),
        listed: OnceCell::new(),
    };
    // Before anything that a model wrote is there: this command has a network.
    setup::prepare(worker, claimed, &place, journal, deadline).await?;
    if let Some(patch) = resumed.patch() {
        place.workspace.apply(patch).await?;
        worker.sandbox.adopt(place.workspace.path())?;
    }
    Ok(place)
}
