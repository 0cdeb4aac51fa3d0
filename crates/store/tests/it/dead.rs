//! What ended without success: grouped by its error, selected, acknowledged.

use std::time::Duration;

use domain::{ExitReason, JobId, JobState, NewJob};
use store::{DeadSelection, StoreError, Swept};
use tokio_postgres::error::SqlState;

use crate::{Roles, hired, roles};

/// A job that failed with this error.
pub async fn failed(roles: &Roles, error: &str) -> JobId {
    failed_job(roles, &testkit::job(), error).await
}

pub async fn failed_job(roles: &Roles, job: &NewJob, error: &str) -> JobId {
    let id = roles.api.submit(job).await.unwrap();
    let by = hired(&roles.worker).await;
    let held = roles.worker.claim(by, job.mode).await.unwrap().expect("the job that was submitted");
    assert_eq!(held.claim.job, id);
    roles.worker.fail_attempt(&held.claim, ExitReason::ModelError, error, None).await.unwrap();
    id
}

pub fn all() -> DeadSelection {
    DeadSelection::default()
}

fn only(ids: &[JobId]) -> DeadSelection {
    DeadSelection { ids: Some(ids.to_vec()), ..all() }
}

#[tokio::test]
async fn errors_that_differ_only_in_their_particulars_have_one_fingerprint() {
    let alike: [&[&str]; 6] = [
        &[
            "the model's provider did not answer: HTTP 529, overloaded_error: Overloaded, request req_011CSHoEeqs5C35K2UUqR7Fy (given up after 30 attempts; retry the job later)",
            "given up after 3 attempts: the model's provider did not answer: HTTP 529, overloaded_error: Overloaded, request req_7c (given up after 9 attempts; retry the job later)",
        ],
        &[
            "the model's provider did not answer: HTTP 500, api_error: Internal server error, request req_1 (given up after 2 attempts; retry the job later)",
        ],
        &[
            "the repository https://bot@h.example/a/b.git was not found: check its path or URL, and that it may be read",
            "the repository /srv/app was not found: check its path or URL, and that it may be read",
            "The repository git@h.example:team/app was not found: check its path or URL, and that it may be read",
        ],
        &[
            "the patch does not apply to 3f2a9c0d1e: make it anew against this commit (error: patch failed: src/lib.rs:12)",
            "the patch does not apply to deadbeef: make it anew against this commit (error: patch failed: count.sh:7)",
        ],
        &["the test command failed with exit code 1"],
        &["the test command failed with exit code 137"],
    ];
    let more: [&[&str]; 3] = [
        &[
            "there is no branch, tag or commit \"develop\" in /srv/a: name one that exists, such as main, next",
            "there is no branch, tag or commit \"it's \\\"odd\\\"\" in https://h.example/b: name one that exists, such as trunk",
        ],
        &[
            "the changes are too large (3 files; a patch takes at most 5000000 bytes): take out or ignore (.gitignore) the largest: a.bin (900 bytes), b/c.bin (12 bytes)",
            "the changes are too large (1 files; a patch takes at most 5000000 bytes): take out or ignore (.gitignore) the largest: x.bin (7 bytes)",
        ],
        &[
            "git could not fetch: fatal: unable to access 'https://h.example/r/': Failed to connect to h.example port 443; read what it says, then try again",
            "git could not fetch: fatal: unable to access 'http://127.0.0.1:9/x.git/': Failed to connect to 127.0.0.1 port 9; read what it says, then try again",
        ],
    ];
    let roles = roles().await;
    let client = roles.database.client("postgres").await;
    let mut seen = std::collections::BTreeSet::new();
    for group in alike.iter().chain(&more) {
        let mut prints = std::collections::BTreeSet::new();
        for error in *group {
            let sql = "select codeteam.error_fingerprint('model_error', $1)";
            prints.insert(client.query_one(sql, &[error]).await.unwrap().get::<_, String>(0));
        }
        assert_eq!(prints.len(), 1, "{group:#?}");
        seen.extend(prints);
    }
    assert_eq!(seen.len(), alike.len() + more.len(), "errors of different kinds are kept apart");
    let sql = "select codeteam.error_fingerprint('model_error', 'x') = codeteam.error_fingerprint('sandbox_error', 'x'),
                      codeteam.error_fingerprint('finished', null)";
    let row = client.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get::<_, bool>(0), row.get::<_, String>(1).len()), (false, 16));
}

#[tokio::test]
async fn dead_letters_are_grouped_by_their_error_whatever_way_they_ended() {
    let roles = roles().await;
    let other = failed(&roles, "no such model").await;
    for ms in ["12", "58213"] {
        failed(&roles, &format!("the model did not answer within {ms} ms")).await;
    }
    let given_up = roles.api.submit(&NewJob { repo: "/srv/b".into(), ..testkit::job() }).await.unwrap();
    let once = "update codeteam.jobs set max_attempts = 1 where id = $1";
    roles.database.client("postgres").await.execute(once, &[&given_up.0]).await.unwrap();
    let held = roles.worker.claim(hired(&roles.worker).await, domain::Mode::Mechanic).await.unwrap().unwrap();
    let (error, soon) = ("the model did not answer within 7 ms", Some(Duration::from_millis(1)));
    let state = roles.worker.fail_attempt(&held.claim, ExitReason::ModelError, error, soon).await.unwrap();
    assert_eq!(state, JobState::Dead);

    let groups = roles.api.dead_groups(&all(), 10).await.unwrap();
    assert_eq!(groups.iter().map(|group| (group.jobs, group.repos)).collect::<Vec<_>>(), [(3, 2), (1, 1)]);
    assert_eq!((groups[0].example, groups[1].example), (given_up, other), "the latest is the example");
    let alike = DeadSelection { fingerprint: Some(groups[0].fingerprint.clone()), ..all() };
    assert_eq!(roles.api.dead_letters(&alike, 10).await.unwrap().len(), 3);
    let dead = DeadSelection { state: Some(JobState::Dead), ..alike };
    let letters = roles.api.dead_letters(&dead, 10).await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.id).collect::<Vec<_>>(), [given_up]);
    assert_eq!(roles.api.job(given_up).await.unwrap().fingerprint, Some(groups[0].fingerprint.clone()));
}

#[tokio::test]
async fn a_selection_takes_what_meets_all_of_it() {
    let roles = roles().await;
    let here = failed(&roles, "a").await;
    let there = failed_job(&roles, &NewJob { repo: "/srv/b".into(), ..testkit::job() }, "a").await;
    let ended = roles.api.job(there).await.unwrap().finished_at;
    let none = DeadSelection { finished_after: ended, ..all() };
    let cases: [(DeadSelection, &[JobId]); 6] = [
        (all(), &[there, here]),
        (DeadSelection { repo: Some("/srv/b".into()), ..all() }, &[there]),
        (DeadSelection { finished_before: ended, ..all() }, &[here]),
        (DeadSelection { repo: Some("/srv/b".into()), ..only(&[here]) }, &[]),
        (DeadSelection { exit_reason: Some(ExitReason::SandboxError), ..all() }, &[]),
        (none, &[]),
    ];
    for (selection, expected) in cases {
        let found = roles.api.dead_letters(&selection, 10).await.unwrap();
        assert_eq!(found.iter().map(|letter| letter.id).collect::<Vec<_>>(), expected, "{selection:?}");
        let counted = roles.api.acknowledge_all(&selection, "me", true).await.unwrap();
        assert_eq!(counted, Swept { remaining: expected.len() as i64, ..Swept::default() });
    }
    assert_eq!(roles.api.dead_letters(&all(), 10).await.unwrap().len(), 2, "a dry run changes nothing");
}

#[tokio::test]
async fn what_is_acknowledged_leaves_the_list_and_stays_in_the_history() {
    let roles = roles().await;
    let (seen, unseen) = (failed(&roles, "a").await, failed(&roles, "a").await);
    assert!(roles.api.acknowledge(seen, "ada").await.unwrap());
    assert!(!roles.api.acknowledge(seen, "bob").await.unwrap(), "said again it changes nothing");
    let job = roles.api.job(seen).await.unwrap();
    assert_eq!((job.state, job.acknowledged_by.as_deref()), (JobState::Failed, Some("ada")));
    assert!(job.acknowledged_at.is_some() && job.error.is_some());
    let left = roles.api.dead_letters(&all(), 10).await.unwrap();
    assert_eq!(left.iter().map(|letter| letter.id).collect::<Vec<_>>(), [unseen]);

    let open = roles.api.submit(&testkit::job()).await.unwrap();
    assert!(matches!(roles.api.acknowledge(open, "ada").await, Err(StoreError::WrongState(_))));
    let unknown = JobId(uuid::Uuid::new_v4());
    assert!(matches!(roles.api.acknowledge(unknown, "ada").await, Err(StoreError::UnknownJob(_))));
    for nobody in [" ", &"x".repeat(201)] {
        let refused = roles.api.acknowledge(unseen, nobody).await.unwrap_err();
        assert!(refused.to_string().contains("say who"), "{refused}");
    }
    roles.api.retry(seen).await.unwrap();
    let job = roles.api.job(seen).await.unwrap();
    assert_eq!((job.state, job.acknowledged_by, job.fingerprint), (JobState::Queued, None, None));
}

#[tokio::test]
async fn selections_that_cannot_be_read_are_answered_with_what_can() {
    let roles = roles().await;
    let client = roles.database.client("codeteam_api").await;
    let cases = [
        (r#"{"repos": "x"}"#, "use state, mode, repo"),
        (r#"{"state": "queued"}"#, "select failed or dead"),
        (r#"{"finished_before": "yesterday evening"}"#, "2030-01-31"),
        (r#"{"ids": "x"}"#, "write [\"ID\""),
        (r#"{"ids": ["x"]}"#, "ids in full"),
        ("7", "is an object of state"),
    ];
    for (selection, words) in cases {
        for call in [
            "list_dead($1::text::jsonb)",
            "group_dead($1::text::jsonb)",
            "retry_jobs($1::text::jsonb)",
            "acknowledge_jobs($1::text::jsonb, 'me')",
        ] {
            let error = client.query(&format!("select codeteam.{call}"), &[&selection]).await.unwrap_err();
            let error = error.as_db_error().unwrap();
            assert_eq!(error.code(), &SqlState::from_code("QJ007"), "{selection}");
            assert!(error.message().contains(words), "{selection}: {error}");
        }
    }
}
