//! A person's retry: with changes, by selection, and what stands in its way.

use std::time::Duration;

use domain::{Change, Event, ExitReason, JobChanges, JobState, NewJob};
use store::{JobFilter, StoreError, Swept};
use tokio_postgres::error::SqlState;

use crate::dead::{all, failed, failed_job};
use crate::{Roles, claimed, hired, roles};

/// Many jobs that failed, without the work of failing each.
async fn many_failed(roles: &Roles, number: u32) {
    let sql = "insert into codeteam.jobs (mode, task, repo, prompt, state, attempt, outcome, exit_reason, error, fingerprint, finished_at)
               select 'mechanic', 'bug_fix', '/srv/app', 'p', 'failed', 1, 'none', 'model_error', 'overloaded',
                      codeteam.error_fingerprint('model_error', 'overloaded'), now() - make_interval(secs => n)
               from generate_series(1, $1::integer) as n";
    let admin = roles.database.client("postgres").await;
    admin.execute(sql, &[&i32::try_from(number).unwrap()]).await.unwrap();
}

#[tokio::test]
async fn a_retry_makes_the_changes_says_so_and_starts_with_full_caps() {
    let roles = roles().await;
    let mut job = testkit::job();
    (job.model, job.caps.step_cap) = (Some("too-weak".into()), Some(3));
    let id = failed_job(&roles, &job, "a").await;
    let changes = JobChanges {
        prompt: Some("another way".into()),
        model: Change::Reset,
        step_cap: Change::To(40),
        cost_cap_micros: Change::To(5_000_000),
        priority: Change::To(7),
        ..JobChanges::default()
    };
    roles.api.retry_with(id, &changes).await.unwrap();
    let retried = |record: &domain::EventRecord| match &record.event {
        Event::Retried { changes } => Some(changes.clone()),
        _ => None,
    };
    let events = roles.api.events(id, 0, 100).await.unwrap();
    assert_eq!(events.iter().find_map(retried), Some(changes.to_json()));
    let again =
        roles.worker.claim(hired(&roles.worker).await, domain::Mode::Mechanic).await.unwrap().unwrap();
    assert_eq!((again.claim.job, again.failures, again.job.prompt.as_str()), (id, 0, "another way"));
    assert_eq!((again.job.model, again.job.caps.step_cap), (None, Some(40)));
    assert_eq!(again.job.caps.cost_cap_micros, Some(5_000_000));
}

#[tokio::test]
async fn changes_that_cannot_be_made_are_answered_with_what_can() {
    let roles = roles().await;
    let id = failed(&roles, "a").await;
    let client = roles.database.client("codeteam_api").await;
    let cases = [
        (r#"{"promt": "x"}"#, "use prompt, model"),
        (r#"{"prompt": null}"#, "give text"),
        (r#"{"prompt": " "}"#, "in 1 to 100000 bytes"),
        (r#"{"model": 5}"#, "give text"),
        (r#"{"step_cap": 0}"#, "give 1 to 10000"),
        (r#"{"step_cap": 1.5}"#, "whole number"),
        (r#"{"token_cap": 99999999999999999999}"#, "out of range"),
        ("[]", "is an object of prompt"),
    ];
    for (changes, words) in cases {
        for call in [
            "retry_job($1, $2::text::jsonb)",
            "retry_jobs(jsonb_build_object('ids', array[$1::uuid]), $2::text::jsonb)",
        ] {
            let refused = client.query(&format!("select codeteam.{call}"), &[&id.0, &changes]).await;
            let error = refused.unwrap_err();
            let error = error.as_db_error().unwrap();
            assert_eq!(error.code(), &SqlState::from_code("QJ007"), "{changes}");
            assert!(error.message().contains(words), "{changes}: {error}");
        }
    }
    assert_eq!(roles.api.job(id).await.unwrap().state, JobState::Failed, "nothing was changed");
}

#[tokio::test]
async fn a_job_whose_name_another_open_job_has_waits_for_that_one() {
    let roles = roles().await;
    let named = NewJob { dedupe_key: Some("nightly".into()), ..testkit::job() };
    let first = failed_job(&roles, &named, "a").await;
    let second = failed_job(&roles, &named, "a").await;
    let nameless = failed(&roles, "a").await;

    let swept = roles.api.retry_all(&all(), &JobChanges::default(), false).await.unwrap();
    assert_eq!(swept, Swept { changed: 2, remaining: 0, held_back: 1 }, "of two of one name, one");
    let state = async |id| roles.api.job(id).await.unwrap().state;
    assert_eq!(
        [state(first).await, state(second).await, state(nameless).await],
        [JobState::Queued, JobState::Failed, JobState::Queued]
    );
    let refused = roles.api.retry(second).await.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Duplicate(said) if said.contains(&first.to_string())),
        "{refused}"
    );
    assert!(
        refused.to_string().contains("nightly") && refused.to_string().contains("cancel it"),
        "{refused}"
    );
    roles.api.cancel(first).await.unwrap();
    roles.api.retry(second).await.unwrap();
}

#[tokio::test]
async fn a_selection_is_worked_off_in_bounded_calls_that_know_what_is_left() {
    let roles = roles().await;
    many_failed(&roles, 1_203).await;
    let client = roles.database.client("codeteam_api").await;
    let sql =
        "select changed, remaining from codeteam.retry_jobs('{\"repo\": \"/srv/app\"}', most => 100000)";
    let row = client.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (500, 703));
    let counted = roles.api.retry_all(&all(), &JobChanges::default(), true).await.unwrap();
    assert_eq!(counted, Swept { changed: 0, remaining: 703, held_back: 0 });
    let acknowledged = roles.api.acknowledge_all(&all(), "me", false).await.unwrap();
    assert_eq!(acknowledged, Swept { changed: 703, remaining: 0, held_back: 0 });
    let failed = JobFilter { state: Some(JobState::Failed), ..JobFilter::default() };
    assert_eq!(roles.api.jobs(failed, 10_000).await.unwrap().len(), 703, "they stay in the history");
    assert!(roles.api.dead_groups(&all(), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn retrying_a_thousand_jobs_rings_a_sleeper_once_a_call() {
    let roles = roles().await;
    many_failed(&roles, 1_000).await;
    let by = hired(&roles.worker).await;
    let admin = roles.database.client("postgres").await;
    let asleep =
        "insert into codeteam.sleepers (topic, sleeper, backend) values ('mechanic', $1, pg_backend_pid())";
    admin.execute(asleep, &[&by.0]).await.unwrap();
    let rings = heard(&roles, "codeteam_mechanic", async {
        let swept = roles.api.retry_all(&all(), &JobChanges::default(), false).await.unwrap();
        assert_eq!(swept.changed, 1_000);
    })
    .await;
    assert_eq!(rings, 2, "500 jobs a call");
}

/// How often `channel` rings while `work` is done.
async fn heard(roles: &Roles, channel: &str, work: impl Future<Output = ()>) -> usize {
    let (client, mut connection) =
        tokio_postgres::connect(&roles.database.url("postgres"), tokio_postgres::NoTls).await.unwrap();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            if let tokio_postgres::AsyncMessage::Notification(ring) = message {
                let _ = sender.send(ring.payload().to_owned());
            }
        }
    });
    client.batch_execute(&format!("listen {channel}")).await.unwrap();
    work.await;
    // What was rung before this comes before this.
    client.batch_execute(&format!("notify {channel}, 'the end'")).await.unwrap();
    let mut rings = 0;
    while receiver.recv().await.expect("the end") != "the end" {
        rings += 1;
    }
    rings
}

#[tokio::test]
async fn what_fails_again_while_a_selection_is_retried_is_not_retried_twice() {
    let roles = roles().await;
    many_failed(&roles, 501).await;
    // Whatever is retried fails again at once.
    let again = "create function fails() returns trigger language plpgsql as $$ begin
                   perform codeteam.end_job(new.id, 'failed', 'none', 'model_error', 'overloaded'); return null; end $$;
                 create constraint trigger fails after update of fresh_after on codeteam.jobs deferrable initially deferred
                   for each row when (new.state = 'queued') execute function fails();
                 alter function fails security definer; alter function fails set search_path = codeteam";
    roles.database.client("postgres").await.batch_execute(again).await.unwrap();
    let swept = roles.api.retry_all(&all(), &JobChanges::default(), false).await.unwrap();
    assert_eq!(swept.changed, 501);
    assert_eq!(roles.api.dead_groups(&all(), 1).await.unwrap()[0].jobs, 501);
}

#[tokio::test]
async fn a_delay_is_bounded_by_a_day_whatever_a_worker_asks_for() {
    let roles = roles().await;
    let held = claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    let ever = Some(Duration::MAX);
    roles.worker.fail_attempt(&held.claim, ExitReason::ModelError, "later", ever).await.unwrap();
    let events = roles.api.events(held.claim.job, 0, 100).await.unwrap();
    let day = i64::try_from(domain::LONGEST_PAUSE.as_millis()).unwrap();
    assert!(events.iter().any(
        |record| matches!(&record.event, Event::AttemptFailed { retry_in_ms: Some(ms), .. } if *ms == day)
    ));
}
