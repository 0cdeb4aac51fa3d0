use std::time::Duration;

use domain::{Event, ExitReason, JobState, Mode, Outcome};
use store::{JobFilter, StoreError, Summons};

use crate::{claimed, hired, journal_of, roles, soon};

#[tokio::test]
async fn a_job_is_claimed_once_however_many_try() {
    let roles = roles().await;
    let id = roles.api.submit(&testkit::job()).await.unwrap();
    let mut tries = Vec::new();
    for _ in 0..10 {
        tries.push(roles.worker.claim(hired(&roles.worker).await, Mode::Mechanic));
    }
    let got: Vec<_> =
        futures_util::future::join_all(tries).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(got.len(), 1);
    assert_eq!((got[0].claim.job, got[0].claim.attempt.0, &got[0].job), (id, 1, &testkit::job()));
}

#[tokio::test]
async fn a_worker_gets_only_jobs_of_its_mode_whose_time_has_come() {
    let roles = roles().await;
    let client = roles.database.client("codeteam_api").await;
    client
        .batch_execute(
            "insert into codeteam.jobs (mode, task, repo, prompt, run_at) values
               ('genius', 'feature', 'r', 'p', now()), ('mechanic', 'bug_fix', 'r', 'later', now() + interval '1 hour')",
        )
        .await
        .unwrap();
    assert!(roles.worker.claim(hired(&roles.worker).await, Mode::Mechanic).await.unwrap().is_none());
    assert!(roles.worker.claim(hired(&roles.worker).await, Mode::Genius).await.unwrap().is_some());
}

#[tokio::test]
async fn the_highest_priority_goes_first_then_the_oldest() {
    let roles = roles().await;
    let client = roles.database.client("codeteam_api").await;
    for (prompt, priority) in [("old", 0i16), ("young", 0), ("urgent", 5)] {
        let sql = "insert into codeteam.jobs (mode, task, repo, prompt, priority) values ('mechanic', 'bug_fix', 'r', $1, $2)";
        client.execute(sql, &[&prompt, &priority]).await.unwrap();
    }
    let mut order = Vec::new();
    while let Some(claimed) = roles.worker.claim(hired(&roles.worker).await, Mode::Mechanic).await.unwrap() {
        order.push(claimed.job.prompt);
    }
    assert_eq!(order, ["urgent", "old", "young"]);
}

#[tokio::test]
async fn an_interrupted_job_burns_no_attempt_and_keeps_its_place() {
    let roles = roles().await;
    let first = claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    roles.api.submit(&testkit::job()).await.unwrap();
    roles.worker.release(&first.claim, "drain").await.unwrap();
    let again = roles.worker.claim(hired(&roles.worker).await, Mode::Mechanic).await.unwrap().unwrap();
    assert_eq!((again.claim.job, again.claim.attempt.0, again.failures), (first.claim.job, 2, 0));
}

#[tokio::test]
async fn errors_are_retried_until_the_attempts_are_used_up_and_then_the_job_is_dead() {
    let roles = roles().await;
    let id = roles.api.submit(&testkit::job()).await.unwrap();
    for expected in [JobState::Queued, JobState::Queued, JobState::Dead] {
        let claimed = loop {
            if let Some(claimed) =
                roles.worker.claim(hired(&roles.worker).await, Mode::Mechanic).await.unwrap()
            {
                break claimed;
            }
        };
        let retry = Some(Duration::from_millis(1));
        let state = roles
            .worker
            .fail_attempt(&claimed.claim, ExitReason::ModelError, "overloaded", retry)
            .await
            .unwrap();
        assert_eq!(state, expected);
    }
    let job = roles.api.job(id).await.unwrap();
    assert_eq!(job.error.as_deref(), Some("given up after 3 attempts: overloaded"));
    roles.api.retry(id).await.unwrap();
    assert_eq!(roles.api.job(id).await.unwrap().state, JobState::Queued);
}

#[tokio::test]
async fn an_error_that_no_retry_mends_fails_the_job_at_once() {
    let roles = roles().await;
    let claimed = claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    let state = roles
        .worker
        .fail_attempt(&claimed.claim, ExitReason::DeliveryError, "no such branch", None)
        .await
        .unwrap();
    assert_eq!(state, JobState::Failed);
}

#[tokio::test]
async fn a_queued_job_is_cancelled_at_once_and_a_running_one_through_its_worker() {
    let roles = roles().await;
    let queued = roles.api.submit(&testkit::job()).await.unwrap();
    assert_eq!(roles.api.cancel(queued).await.unwrap(), JobState::Cancelled);

    let by = hired(&roles.worker).await;
    let running = claimed(&roles.api, &roles.worker, by).await;
    let mut summons = Summons::new(roles.worker.clone(), by);
    summons.next().await.unwrap(); // it listens now
    let asked = roles.api.cancel(running.claim.job).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), summons.next()).await.expect("a ring").unwrap();
    assert_eq!(asked, JobState::Running);
    assert_eq!(roles.worker.heartbeat(by, &[running.claim]).await.unwrap(), [store::Verdict::Cancel]);
    let end = (JobState::Cancelled, Outcome::None, ExitReason::Cancelled);
    journal_of(&roles.worker, &running).finish(end, None, &[], soon()).await.unwrap();
    assert_eq!(
        roles
            .api
            .jobs(JobFilter { state: Some(JobState::Cancelled), ..JobFilter::default() }, 10)
            .await
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn what_a_person_gets_wrong_is_answered_by_kind() {
    let roles = roles().await;
    let unknown = domain::JobId(uuid::Uuid::new_v4());
    assert!(matches!(roles.api.cancel(unknown).await, Err(StoreError::UnknownJob(_))));
    assert!(matches!(roles.api.job(unknown).await, Err(StoreError::UnknownJob(_))));
    let open = roles.api.submit(&testkit::job()).await.unwrap();
    assert!(matches!(roles.api.retry(open).await, Err(StoreError::WrongState(_))));
    let mut bad = testkit::job();
    bad.prompt = "a\0b".into();
    assert!(matches!(roles.api.submit(&bad).await, Err(StoreError::Invalid(_))));
    bad.prompt = " ".into();
    assert!(matches!(roles.api.submit(&bad).await, Err(StoreError::Invalid(_))));
    let refused = roles.api.submit_all(&[testkit::job(), bad]).await.expect_err("a blank prompt");
    assert!(refused.to_string().contains("job 2: the prompt cannot be that"), "{refused}");
    assert_eq!(roles.api.find_job(&open.to_string()[..8]).await.unwrap(), open);
    assert!(matches!(roles.api.find_job("zz%").await, Err(StoreError::UnknownJob(_))));
}

#[tokio::test]
async fn a_finished_job_has_one_result_even_when_it_is_said_twice() {
    let roles = roles().await;
    let claimed = claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    let result = [Event::Delivered {
        diff: Some("+1".into()),
        report: None,
        summary: "done".into(),
        findings: vec![],
    }];
    let end = (JobState::Succeeded, Outcome::Verified, ExitReason::Finished);
    for _ in 0..2 {
        let state = journal_of(&roles.worker, &claimed).finish(end, None, &result, soon()).await.unwrap();
        assert_eq!(state, JobState::Succeeded);
    }
    let events = roles.api.events(claimed.claim.job, 0, 100).await.unwrap();
    let delivered = events.iter().filter(|record| matches!(record.event, Event::Delivered { .. })).count();
    assert_eq!((events.len(), delivered), (3, 1));
}

#[tokio::test]
async fn a_time_that_clients_cannot_read_is_refused() {
    let roles = roles().await;
    let client = roles.database.client("codeteam_api").await;
    for time in ["infinity", "-infinity", "20000-01-01"] {
        let sql = format!(
            "insert into codeteam.jobs (mode, task, repo, prompt, run_at) values ('mechanic', 'bug_fix', 'r', 'p', '{time}')"
        );
        assert!(client.batch_execute(&sql).await.is_err(), "{time}");
    }
}
