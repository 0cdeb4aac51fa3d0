//! The scaler deletes old history, and nothing else.

use domain::{JobState, Outcome};
use nix::sys::signal::Signal;
use rehearsal::Rehearsal;
use system_tests::{PATIENCE, Repo, Team};
use testkit::TestDatabase;
use tokio::time::timeout;
use tokio_postgres::Client;

/// More old jobs than three batches take, each with a short journal and a call that was paid for; and what must stay.
const HISTORY: &str = "
  insert into codeteam.jobs (mode, task, repo, prompt, state, outcome, exit_reason, finished_at)
  select 'mechanic', 'bug_fix', 'r', 'old', (array['succeeded', 'failed', 'cancelled'])[1 + n % 3], 'none', 'finished',
         now() - interval '31 days' - n * interval '1 hour'
  from generate_series(1, 350) as n;
  insert into codeteam.jobs (mode, task, repo, prompt, state, outcome, exit_reason, finished_at)
  values ('mechanic', 'bug_fix', 'r', 'dead', 'dead', 'none', 'lost_worker', now() - interval '300 days'),
         ('mechanic', 'bug_fix', 'r', 'young', 'succeeded', 'none', 'finished', now() - interval '29 days');
  insert into codeteam.events (job_id, seq, attempt, kind, data)
  select id, seq, 1, 'noted', '{\"message\": \"so far\"}' from codeteam.jobs, generate_series(1, 10) as seq;
  insert into codeteam.ledger (job_id, attempt, call, kind, basis, repo, mode, model, cost_micros)
  select id, 1, 1, 'reservation', 'worst_case', repo, mode, 'm', 7 from codeteam.jobs";

async fn count(owner: &Client, of: &str) -> i64 {
    owner.query_one(&format!("select count(*) from codeteam.{of}"), &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_scaler_at_work_deletes_what_is_older_than_its_setting_and_keeps_the_ledger() {
    let model = Rehearsal::start(rehearsal::demo::script().unwrap()).await.unwrap();
    let database = TestDatabase::new().await;
    let owner = database.client("postgres").await;
    owner.batch_execute(HISTORY).await.unwrap();
    let mut team = Team::on_database(database, &model.url()).await;
    team.set("RETENTION_DAYS", 30);
    let repo = Repo::demo();
    let job = team.submit_demo(&repo).await;
    let mut scaler = team.scaler();
    assert_eq!(team.finished(job).await.0.outcome, Some(Outcome::Verified), "{}", team.log());
    let swept = async { while count(&owner, "jobs where prompt = 'old'").await > 0 {} };
    timeout(PATIENCE, swept).await.unwrap_or_else(|_| panic!("old jobs stay: {}", team.log()));

    assert_eq!(count(&owner, "jobs where prompt in ('dead', 'young')").await, 2);
    assert_eq!(count(&owner, "events where kind = 'noted'").await, 20, "of the two that stay");
    assert_eq!(count(&owner, "ledger where model = 'm'").await, 352, "money is never forgotten");
    assert_eq!(team.api.job(job).await.unwrap().state, JobState::Succeeded);
    let counts = team.api.counts().await.unwrap();
    assert_eq!(counts.0.iter().map(|count| count.swept).sum::<u64>(), 350);
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());
}

#[tokio::test]
async fn a_scaler_that_is_told_to_keep_history_for_ever_does() {
    let database = TestDatabase::new().await;
    let owner = database.client("postgres").await;
    owner.batch_execute(HISTORY).await.unwrap();
    let mut team = Team::on_database(database, "http://127.0.0.1:9").await;
    team.set("RETENTION_DAYS", 0);
    let mut scaler = team.scaler();
    let asleep = async { while count(&owner, "sleepers where topic = 'scaler'").await == 0 {} };
    timeout(PATIENCE, asleep).await.unwrap_or_else(|_| panic!("it does not sleep: {}", team.log()));
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());
    assert_eq!((count(&owner, "jobs").await, count(&owner, "events").await), (352, 3_520));
}
