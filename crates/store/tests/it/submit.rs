//! Enqueueing: once, whatever is lost on the way, and many at once.

use domain::{JobState, NewJob};
use store::{Config, Database, JobFilter, StoreError};
use testkit::{Proxy, Traffic};
use tokio_postgres::error::SqlState;

use crate::roles;

fn named(key: &str) -> NewJob {
    NewJob { dedupe_key: Some(key.into()), ..testkit::job() }
}

#[tokio::test]
async fn while_a_job_of_that_name_is_open_another_one_is_not_made() {
    let roles = roles().await;
    let first = roles.api.submit(&named("nightly")).await.unwrap();
    assert_eq!(roles.api.submit(&named("nightly")).await.unwrap(), first);
    assert_ne!(roles.api.submit(&named("weekly")).await.unwrap(), first);
    assert_eq!(roles.api.cancel(first).await.unwrap(), JobState::Cancelled);
    assert_ne!(roles.api.submit(&named("nightly")).await.unwrap(), first, "the first one has ended");
}

#[tokio::test]
async fn of_many_who_submit_the_same_at_once_one_makes_it() {
    let roles = roles().await;
    let mut submitting = Vec::new();
    for _ in 0..8 {
        let api = roles.database.store("codeteam_api").await;
        submitting.push(tokio::spawn(async move { api.submit(&named("the same")).await.unwrap() }));
    }
    let mut ids = std::collections::BTreeSet::new();
    for id in submitting {
        ids.insert(id.await.unwrap());
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(roles.api.jobs(JobFilter::default(), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_submission_whose_answer_is_lost_is_made_once() {
    let roles = roles().await;
    let proxy = Proxy::start(&roles.database.url("postgres")).await;
    let config = Config::parse(&proxy.url("codeteam_api", roles.database.name()), "test").unwrap();
    let api = Database::open(config).await.unwrap();
    proxy.set(Traffic::LoseNextReply);
    let id = api.submit(&testkit::job()).await.unwrap();
    let jobs = roles.api.jobs(JobFilter::default(), 10).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [id]);
}

#[tokio::test]
async fn ten_thousand_jobs_are_one_statement_and_keep_their_order() {
    let roles = roles().await;
    let jobs: Vec<NewJob> =
        (0..10_000).map(|n| NewJob { prompt: format!("job {n}"), ..testkit::job() }).collect();
    let ids = roles.api.submit_all(&jobs).await.unwrap();
    assert_eq!(ids.len(), 10_000);
    assert_eq!(roles.api.job(ids[4_321]).await.unwrap().prompt, "job 4321");
    let twice = roles.api.submit_all(&[named("a"), named("b"), named("a")]).await.unwrap();
    assert_eq!((twice[0], twice[0] == twice[1]), (twice[2], false));
}

#[tokio::test]
async fn one_bad_job_of_many_is_named_and_none_is_made() {
    let roles = roles().await;
    let bad = NewJob { prompt: " ".into(), ..testkit::job() };
    let refused = roles.api.submit_all(&[testkit::job(), bad]).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    assert!(roles.api.jobs(JobFilter::default(), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn by_sql_a_key_that_no_job_has_is_answered_with_those_that_it_may_have() {
    let roles = roles().await;
    let client = roles.database.client("codeteam_api").await;
    for (jobs, expected) in [(r#"[{"tsak": "bug_fix"}]"#, "prompt"), ("{}", "task"), ("[1]", "task")] {
        let error =
            client.execute("select codeteam.submit_jobs($1::text::jsonb)", &[&jobs]).await.unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!(error.code(), &SqlState::from_code("QJ007"));
        assert!(error.message().contains(expected), "{error:?}");
    }
    let id: uuid::Uuid = client
        .query_one("select codeteam.submit_job('feature', '/srv/app', 'add it', dedupe_key => 'x')", &[])
        .await
        .unwrap()
        .get(0);
    let mode: String =
        client.query_one("select mode from codeteam.jobs where id = $1", &[&id]).await.unwrap().get(0);
    assert_eq!(mode, "genius");
}

/// The other's row is not visible to the statement that waited for it.
#[tokio::test]
async fn who_had_to_wait_for_anothers_commit_gets_the_others_job() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    let mut writer = roles.database.client("codeteam_api").await;
    let other = writer.transaction().await.unwrap();
    let sql = "insert into codeteam.jobs (mode, task, repo, prompt, dedupe_key)
               values ('mechanic', 'bug_fix', 'r', 'p', 'x') returning id";
    let first: uuid::Uuid = other.query_one(sql, &[]).await.unwrap().get(0);
    let job = named("x");
    let (second, ()) = tokio::join!(roles.api.submit(&job), async {
        let waiting = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
        while !admin.query_one(waiting, &[]).await.unwrap().get::<_, bool>(0) {}
        other.commit().await.unwrap();
    });
    assert_eq!(second.unwrap().0, first);
}
