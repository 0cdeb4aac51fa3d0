//! The jobs of the past, as a simulation is given them.

use std::time::Duration;

use domain::Mode;

#[tokio::test]
async fn past_jobs_tell_when_they_were_ready_and_how_long_they_were_worked_on() {
    let roles = crate::roles().await;
    let client = roles.database.client("postgres").await;
    client
        .batch_execute(
            "insert into codeteam.jobs (mode, task, repo, prompt, run_at, created_at) values
               ('mechanic', 'bug_fix', 'r', 'p', now(), now()),
               ('genius', 'feature', 'r', 'p', now(), '2001-01-01 00:00:00Z');
             insert into codeteam.jobs (mode, task, repo, prompt, state, outcome, exit_reason, run_at, started_at, finished_at) values
               ('mechanic', 'bug_fix', 'r', 'p', 'succeeded', 'none', 'finished', '2000-01-01 00:00:00Z', now() - interval '90 s', now()),
               ('mechanic', 'bug_fix', 'r', 'p', 'cancelled', 'none', 'cancelled', now(), null, now())",
        )
        .await
        .unwrap();
    let jobs = roles.api.past_jobs(7, 100).await.unwrap();
    // The genius's is too old, and nobody worked on the one that was cancelled.
    let mut worked: Vec<Option<Duration>> = jobs.iter().map(|job| job.worked).collect();
    worked.sort();
    assert_eq!(worked, [None, Some(Duration::from_secs(90))]);
    assert!(jobs.iter().all(|job| job.mode == Mode::Mechanic));
    let year_2020 = "2020-01-01T00:00:00Z".parse().unwrap();
    assert!(jobs.iter().all(|job| job.ready_at > year_2020), "{jobs:?}");
    assert_eq!(roles.api.past_jobs(36_500, 100).await.unwrap().len(), 3);
}
