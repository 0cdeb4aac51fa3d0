//! Workers for the tasks that the stand-in for AWS counts: one for each that runs, and none without. They sleep on the doorbell, protect
//! their task before they claim, as the worker program does, and go through the store. A job takes as many milliseconds as its prompt says.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::json;
use system_tests::aws::{AwsStandIn, Fleet};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use super::diary::{Change, Diary};
use crate::own::Worker;
use crate::server::Server;

/// A quiet fleet is asked for again after this.
const QUIET: Duration = Duration::from_secs(30);

/// Where they work.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub server: &'a Server,
    pub database: &'a str,
    pub aws: &'a AwsStandIn,
    pub diary: &'a Diary,
}

/// Has all tasks staffed. Ends only with an error.
pub async fn work(place: Place<'_>) -> anyhow::Result<()> {
    let (told, mut fleets) = watch::channel(place.aws.fleet().await);
    let mut shifts = FuturesUnordered::new();
    // By task; the end of a sender ends the shift.
    let mut staffed: HashMap<String, Option<oneshot::Sender<()>>> = HashMap::new();
    let crew = async {
        loop {
            for task in &fleets.borrow_and_update().tasks {
                match task.state.as_str() {
                    "running" if !staffed.contains_key(&task.id) => {
                        let (staff, stop) = oneshot::channel();
                        shifts.push(shift(place, task.id.clone(), stop));
                        staffed.insert(task.id.clone(), Some(staff));
                    }
                    "stopped" => drop(staffed.get_mut(&task.id).and_then(Option::take)),
                    _ => {}
                }
            }
            tokio::select! {
                changed = fleets.changed() => changed.context("the fleet is no more watched")?,
                Some(ended) = shifts.next() => ended?,
            }
        }
    };
    tokio::select! {
        ended = crew => ended,
        never = watch_fleet(place.aws, told) => match never {},
    }
}

async fn watch_fleet(aws: &AwsStandIn, told: watch::Sender<Fleet>) -> std::convert::Infallible {
    loop {
        let known = told.borrow().version;
        if let Ok(fleet) = timeout(QUIET, aws.fleet_until(|fleet| fleet.version > known)).await {
            told.send_replace(fleet);
        }
    }
}

async fn shift(place: Place<'_>, task: String, stop: oneshot::Receiver<()>) -> anyhow::Result<()> {
    let worker = Worker::start(place.server, place.database).await?;
    place.diary.note(Instant::now(), Change::Free);
    // Only a task that is not protected is stopped: it holds no job.
    tokio::select! {
        ended = jobs(place, &worker, &task) => ended?,
        _ = stop => {}
    }
    place.diary.note(Instant::now(), Change::Gone);
    Ok(worker.database.retire_worker(worker.id).await?)
}

async fn jobs(place: Place<'_>, worker: &Worker, task: &str) -> anyhow::Result<()> {
    let mut doorbell = worker.doorbell();
    while protect(place.aws, task, true).await {
        while let Some(claimed) = worker.claim().await? {
            place.diary.note(Instant::now(), Change::Claimed);
            let takes = claimed.job.prompt.parse().context("a job does not say how long it takes")?;
            sleep(Duration::from_millis(takes)).await;
            worker.finish(&claimed).await?;
            place.diary.note(Instant::now(), Change::Free);
        }
        ensure!(protect(place.aws, task, false).await, "a task cannot be left unprotected");
        doorbell.sleep().await?;
    }
    Ok(())
}

/// False: the task is being stopped, and takes no job.
async fn protect(aws: &AwsStandIn, task: &str, enabled: bool) -> bool {
    let wish = json!({"ProtectionEnabled": enabled, "ExpiresInMinutes": 60});
    let (_, said) = aws.protection(task, &wish).await;
    said["protection"]["ProtectionEnabled"] == json!(enabled)
}
