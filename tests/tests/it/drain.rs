//! SIGTERM, whatever a worker is at: it goes within its drain, its job goes on elsewhere unharmed, nothing of it stays.
//!
//! Everything here lasts ten minutes where a second is allowed, so that a worker that waited for it would fail the test.

use domain::{Event, EventRecord, JobId, JobState};
use nix::sys::signal::Signal;
use serde_json::json;
use system_tests::{Agrees, EcsAgent, ModelServer, PATIENCE, Program, Repo, Say, Team, tool};
use testkit::TestDatabase;
use tokio::time::timeout;

/// A team on ECS whose workers have one second to go.
async fn draining(model: &str) -> (EcsAgent, Team) {
    on(TestDatabase::new().await, model).await
}

async fn on(database: TestDatabase, model: &str) -> (EcsAgent, Team) {
    let agent = EcsAgent::start().await;
    let mut team = Team::on_database(database, model).await;
    team.set("ECS_AGENT_URI", &agent.uri);
    team.set("DRAIN_MS", 1_000);
    team.set("TIME_LIMIT_MS", 1_200_000);
    (agent, team)
}

/// The worker goes in order and leaves nothing behind: no protection, no entry among the workers, no checkout.
async fn gone(mut worker: Program, agent: &EcsAgent, team: &Team) {
    worker.signal(Signal::SIGTERM);
    assert!(worker.wait().await.success(), "{}", team.log());
    assert!(!agent.is_protected(), "{:?}", agent.asked());
    assert!(team.api.workers().await.unwrap().is_empty(), "{}", team.log());
    assert_eq!(std::fs::read_dir(team.path("work")).unwrap().count(), 0, "a checkout stays behind");
}

/// The job is where another worker finds it, and no attempt at it counts as failed.
async fn assert_unharmed(team: &Team, job: JobId) -> Vec<EventRecord> {
    let row = team.api.job(job).await.unwrap();
    assert_eq!((row.state, row.error), (JobState::Queued, None), "{}", team.log());
    let events = team.api.events(job, 0, 1_000).await.unwrap();
    let harm = |event: &Event| matches!(event, Event::AttemptFailed { .. } | Event::LeaseExpired { .. });
    assert!(!events.iter().any(|record| harm(&record.event)), "{events:#?}");
    events
}

fn was_released(events: &[EventRecord]) -> bool {
    matches!(events.last().map(|record| &record.event), Some(Event::Released { .. }))
}

async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !so().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it never came: {what}"));
}

/// Whether a process was started with just these words, by whomever.
fn is_running(words: &[&str]) -> bool {
    let wanted: String = words.iter().map(|word| format!("{word}\0")).collect();
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .any(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| line == wanted.as_bytes()))
}

#[tokio::test]
async fn a_sleeping_worker_goes() {
    let (agent, team) = draining("http://127.0.0.1:9").await;
    let worker = team.worker();
    agent.asked_until(|asked| asked == [true, false]).await;
    gone(worker, &agent, &team).await;
    assert_eq!(agent.asked(), [true, false], "what has ended is not ended again");
}

#[tokio::test]
async fn a_worker_that_waits_for_its_protection_claims_nothing_more() {
    let (agent, team) = draining("http://127.0.0.1:9").await;
    agent.agrees_to_protect(Agrees::Later);
    let job = team.submit(&Repo::demo(), "x", None).await;
    let worker = team.worker();
    agent.asked_until(|asked| asked == [true]).await;
    gone(worker, &agent, &team).await;
    assert!(assert_unharmed(&team, job).await.is_empty(), "nobody claimed it");
    assert_eq!(agent.asked(), [true, false], "an answer that nobody waited for may have been yes");
}

#[tokio::test]
async fn a_worker_that_hears_of_its_claim_too_late_gives_it_back_at_once() {
    let database = TestDatabase::new().await;
    let mut other = database.client("postgres").await;
    let watcher = database.client("postgres").await;
    let (agent, mut team) = on(database, "http://127.0.0.1:9").await;
    team.set("DRAIN_MS", 600_000); // a repository that cannot be fetched would not end it sooner
    let job = team.submit(&Repo::demo(), "x", None).await;
    agent.agrees_to_protect(Agrees::Later);
    let mut worker = team.worker();
    agent.asked_until(|asked| asked == [true]).await;
    let lock = other.transaction().await.unwrap();
    lock.batch_execute("lock table codeteam.jobs in access exclusive mode").await.unwrap();
    agent.agrees_to_protect(Agrees::Yes);
    let claiming = "select from pg_stat_activity where datname = current_database() \
        and query like '%claim_jobs%' and wait_event_type = 'Lock' and pid <> pg_backend_pid()";
    until("a claim", async || !watcher.query(claiming, &[]).await.unwrap().is_empty()).await;
    worker.signal(Signal::SIGTERM);
    until("it hears the signal", async || team.log().contains("told to stop")).await;
    lock.commit().await.unwrap();
    assert!(worker.wait().await.success(), "{}", team.log());
    assert!(!agent.is_protected(), "{:?}", agent.asked());
    let events = assert_unharmed(&team, job).await;
    assert!(was_released(&events), "{events:#?}");
    let begun = events.iter().any(|record| matches!(record.event, Event::CheckedOut { .. }));
    assert!(!begun, "it began what it could not finish: {events:#?}");
}

/// The provider takes the request and says nothing.
#[tokio::test]
async fn a_worker_whose_model_does_not_answer_gives_its_job_back() {
    let provider = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (agent, team) = draining(&format!("http://{}", provider.local_addr().unwrap())).await;
    let repo = Repo::demo();
    let job = team.submit(&repo, "x", None).await;
    let worker = team.worker();
    let _call = timeout(PATIENCE, provider.accept()).await.expect("a call").unwrap();
    gone(worker, &agent, &team).await;
    assert!(was_released(&assert_unharmed(&team, job).await));
    let calls = team.api.calls(job).await.unwrap();
    assert_eq!(calls.len(), 1, "a call that may have been charged for stays in the ledger");
}

#[tokio::test]
async fn a_worker_in_a_long_command_ends_it_and_gives_its_job_back() {
    let long = ["sleep", "600.25"];
    let model =
        ModelServer::start(move |_, _| Say::Content(vec![tool("bash", json!({"command": long.join(" ")}))]))
            .await;
    let (agent, team) = draining(&model.url).await;
    let repo = Repo::demo();
    let job = team.submit(&repo, "x", None).await;
    let worker = team.worker();
    until("the command", async || is_running(&long)).await;
    assert!(agent.is_protected());
    gone(worker, &agent, &team).await;
    assert!(was_released(&assert_unharmed(&team, job).await));
    until("its end", async || !is_running(&long)).await;
}

#[tokio::test]
async fn a_worker_in_a_delivery_ends_it_and_gives_its_job_back() {
    let long = ["sleep", "600.75"];
    let model = ModelServer::start(|turn, _| {
        Say::Content(vec![match turn {
            0 => tool("bash", json!({"command": "echo two > a.txt"})),
            _ => tool("finish", json!({"summary": "done"})),
        }])
    })
    .await;
    let (agent, team) = draining(&model.url).await;
    let repo = Repo::with(&[("a.txt", "one\n")]);
    let job = team.submit(&repo, "x", Some(&long.join(" "))).await;
    let worker = team.worker();
    until("the test command", async || is_running(&long)).await;
    gone(worker, &agent, &team).await;
    let events = assert_unharmed(&team, job).await;
    assert!(was_released(&events), "{events:#?}");
    assert!(!events.iter().any(|record| matches!(record.event, Event::Verified { .. })), "{events:#?}");
    until("its end", async || !is_running(&long)).await;
}
