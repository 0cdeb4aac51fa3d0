//! What the tables allow and what the program knows are the same words and the same bounds.

use std::collections::BTreeSet;

use domain::{CapsOverride, ExitReason, JobState, Mode, NewJob, Outcome, Queueing, Task, limits};

use crate::roles;

/// The words in the list that follows `marker` in a function.
async fn allowed(client: &tokio_postgres::Client, function: &str, marker: &str) -> BTreeSet<String> {
    let sql = "select prosrc from pg_proc where pronamespace = 'codeteam'::regnamespace and proname = $1";
    let source: String = client.query_one(sql, &[&function]).await.unwrap().get(0);
    let list = source.split_once(marker).unwrap_or_else(|| panic!("{function} has no {marker}")).1;
    let list = &list[..list.find([')', ']']).unwrap()];
    list.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

fn review() -> NewJob {
    NewJob { task: domain::Task::Review, ..testkit::job() }
}

fn queued(queueing: Queueing) -> NewJob {
    NewJob { queueing, ..testkit::job() }
}

fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> BTreeSet<String> {
    all.iter().map(|&value| word(value).to_owned()).collect()
}

#[tokio::test]
async fn every_vocabulary_is_the_same_in_the_functions() {
    let database = testkit::TestDatabase::new().await;
    let client = database.client("postgres").await;
    let client = &client;
    let allowed = async |function, marker| allowed(client, function, marker).await;
    for (function, marker) in [("wrong_with", "job.mode not in ("), ("check_mode", "mode in (")] {
        assert_eq!(allowed(function, marker).await, words(Mode::ALL, Mode::as_str));
    }
    assert_eq!(allowed("wrong_with", "job.task not in (").await, words(Task::ALL, Task::as_str));
    let ends: Vec<JobState> = JobState::ALL.iter().copied().filter(|state| state.is_final()).collect();
    assert_eq!(allowed("end_jobs", "states <@ array[").await, words(&ends, JobState::as_str));
    assert_eq!(allowed("end_jobs", "outcomes <@ array[").await, words(Outcome::ALL, Outcome::as_str));
    for (function, marker) in
        [("end_jobs", "exit_reasons <@ array["), ("check_exit_reason", "exit_reason in (")]
    {
        assert_eq!(allowed(function, marker).await, words(ExitReason::ALL, ExitReason::as_str));
    }
}

#[tokio::test]
async fn a_look_counts_as_many_ready_jobs_as_a_scaler_reckons_with() {
    let roles = roles().await;
    roles.api.submit_all(&vec![testkit::job(); 1_200]).await.unwrap();
    let scaler = roles.database.store("codeteam_scaler").await;
    assert_eq!(scaler.observe().await.unwrap().mechanic.ready, scaling::pace::COUNTED);
}

#[tokio::test]
async fn submitting_by_sql_picks_the_mode_that_the_program_would_pick() {
    let database = testkit::TestDatabase::new().await;
    let client = database.client("codeteam_api").await;
    for &task in Task::ALL {
        let id: uuid::Uuid = client
            .query_one("select codeteam.submit_job($1, 'r', 'p')", &[&task.as_str()])
            .await
            .unwrap()
            .get(0);
        let mode: String =
            client.query_one("select mode from codeteam.jobs where id = $1", &[&id]).await.unwrap().get(0);
        assert_eq!(mode, task.default_mode().as_str(), "{task}");
    }
}

/// At each bound and one beyond it, the program and the tables say the same.
#[tokio::test]
async fn every_bound_is_the_same_in_the_tables() {
    let roles = roles().await;
    let caps = |change: fn(&mut CapsOverride, u64), value: u64| {
        let mut job = testkit::job();
        change(&mut job.caps, value);
        job
    };
    let mut jobs: Vec<NewJob> = Vec::new();
    for bytes in [limits::PROMPT_BYTES, limits::PROMPT_BYTES + 1] {
        jobs.push(NewJob { prompt: "x".repeat(bytes), ..testkit::job() });
    }
    for bytes in [limits::REPO_BYTES, limits::REPO_BYTES + 1] {
        jobs.push(NewJob { repo: "x".repeat(bytes), ..testkit::job() });
    }
    for bytes in [limits::BASE_BYTES, limits::BASE_BYTES + 1] {
        jobs.push(NewJob { base: Some("x".repeat(bytes)), ..testkit::job() });
    }
    for bytes in [limits::BASE_BYTES, limits::BASE_BYTES + 1] {
        jobs.push(NewJob { head: Some("x".repeat(bytes)), ..review() });
    }
    jobs.push(NewJob { head: Some("feature".into()), ..testkit::job() });
    for bytes in [limits::COMMAND_BYTES, limits::COMMAND_BYTES + 1] {
        jobs.push(NewJob { test_command: Some("x".repeat(bytes)), ..testkit::job() });
        jobs.push(NewJob { setup_command: Some("x".repeat(bytes)), ..testkit::job() });
    }
    for bytes in [0, limits::DEDUPE_KEY_BYTES, limits::DEDUPE_KEY_BYTES + 1] {
        jobs.push(NewJob { dedupe_key: Some("x".repeat(bytes)), ..testkit::job() });
    }
    jobs.push(NewJob { repo: "-x".into(), ..testkit::job() });
    for bytes in [0, limits::GROUP_KEY_BYTES, limits::GROUP_KEY_BYTES + 1] {
        jobs.push(queued(Queueing { group_key: Some("x".repeat(bytes)), ..Queueing::default() }));
    }
    for limit in [0, 1, 1_000, 1_001] {
        let group_key = Some(format!("of {limit}"));
        jobs.push(queued(Queueing { group_key, group_limit: Some(limit), ..Queueing::default() }));
    }
    for priority in [0, 9, 10] {
        jobs.push(queued(Queueing { priority, ..Queueing::default() }));
    }
    let others = vec![testkit::job(); limits::AFTER + 1];
    let mut others = roles.api.submit_all(&others).await.unwrap();
    jobs.push(queued(Queueing { after: others.clone(), ..Queueing::default() }));
    others.pop();
    jobs.push(queued(Queueing { after: others, ..Queueing::default() }));
    for steps in [0, 1, 10_000, 10_001] {
        jobs.push(caps(|caps, value| caps.step_cap = u32::try_from(value).ok(), steps));
    }
    for tokens in [0, 1, 100_000_000, 100_000_001] {
        jobs.push(caps(|caps, value| caps.token_cap = Some(value), tokens));
    }
    for ms in [999, 1_000, 86_400_000, 86_400_001] {
        jobs.push(caps(|caps, value| caps.time_limit_ms = Some(value), ms));
    }
    for micros in [0, 1] {
        jobs.push(caps(|caps, value| caps.cost_cap_micros = i64::try_from(value).ok(), micros));
    }
    for job in jobs {
        let (program, tables) = (job.check(), roles.api.submit(&job).await);
        assert_eq!(program.is_ok(), tables.is_ok(), "{program:?}, but the tables: {tables:?}");
    }
}
