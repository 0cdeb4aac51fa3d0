//! What goes wrong on GitHub, and where its token may never be seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::{Delivery, Event, ExitReason, JobState, NewJob};
use serde_json::json;
use system_tests::github::{Fault, GitHub};
use system_tests::{ModelServer, Say, Team, tool};

use super::jobs::{SUMMARY, job, model, published, repo};

#[tokio::test]
async fn what_github_refuses_costs_nothing_and_says_what_to_do() {
    let model = model().await;
    let github = GitHub::start().await;
    let mut team = Team::new(&model.url).await;
    team.on_github(&github);
    let url = github.host("o/r", &repo());
    let _worker = team.worker();
    let ends = async |job: NewJob, expected: &str| {
        let id = team.api.submit(&job).await.unwrap();
        let (row, _) = team.finished(id).await;
        assert_eq!(
            (row.state, row.exit_reason),
            (JobState::Failed, Some(ExitReason::DeliveryError)),
            "{}",
            team.log()
        );
        assert!(row.error.as_deref().unwrap().contains(expected), "{row:?}");
        assert_eq!(row.steps, 0, "nothing is paid for what cannot be delivered");
    };
    let wanted = || NewJob { delivery: Some(Delivery::PullRequest), ..job(&url) };
    ends(job(&format!("{}/o/none", github.url)), "cannot see o/none").await;
    let review = NewJob { head: Some("pull/9".into()), ..NewJob::new(domain::Task::Review, &url, "p") };
    ends(review, "no pull request 9").await;
    github.faults(|_, path| {
        path.starts_with("/users/").then(|| Fault::Answer(404, json!({"message": "Not Found"}), &[]))
    });
    ends(wanted(), "say which user the App is").await;
    github.no_faults();
    github.archive();
    ends(wanted(), "unarchive it").await;
    github.grant_only(json!({"metadata": "read", "contents": "read"}));
    ends(wanted(), "give it the permissions Contents: read and write, Pull requests: read and write").await;
    github.suspend();
    ends(wanted(), "is suspended: lift that in the settings of the account o").await;
    github.replace_key();
    ends(wanted(), "make a new private key").await;
    assert!(github.pulls().is_empty() && model.requests().is_empty());
}

#[tokio::test]
async fn a_pull_request_that_cannot_be_opened_leaves_the_result_in_the_record() {
    let (model, github) = (model().await, GitHub::start().await);
    let mut team = Team::new(&model.url).await;
    team.on_github(&github);
    let url = github.host("o/r", &repo());
    github.faults(|method, path| {
        let refused =
            json!({"message": "Validation Failed", "errors": [{"message": "pull requests are disabled"}]});
        (method == "POST" && path.ends_with("/pulls")).then_some(Fault::Answer(422, refused, &[]))
    });
    let _worker = team.worker();
    let id = team.api.submit(&job(&url)).await.unwrap();
    let (row, events) = team.finished(id).await;
    assert_eq!(
        (row.state, row.exit_reason),
        (JobState::Failed, Some(ExitReason::DeliveryError)),
        "{}",
        team.log()
    );
    assert!(row.error.unwrap().contains("pull requests are disabled"));
    assert!(events.iter().any(
        |record| matches!(&record.event, Event::Delivered { diff: Some(diff), .. } if diff.contains("$1!"))
    ));
}

#[tokio::test]
async fn workflows_are_changed_only_by_an_app_that_may_and_with_a_token_for_that() {
    let model = ModelServer::start(|turn, _| {
        Say::Content(match turn {
            0 => vec![tool(
                "bash",
                json!({"command": "mkdir -p .github/workflows; echo on: push > .github/workflows/ci.yml"}),
            )],
            _ => vec![tool("finish", json!({"summary": SUMMARY}))],
        })
    })
    .await;
    let github = GitHub::start().await;
    let mut team = Team::new(&model.url).await;
    team.on_github(&github);
    let url = github.host("o/r", &repo());
    let _worker = team.worker();
    let wanted = || NewJob { test_command: None, ..job(&url) };
    let id = team.api.submit(&wanted()).await.unwrap();
    let (row, events) = team.finished(id).await;
    assert_eq!((row.state, row.exit_reason), (JobState::Failed, Some(ExitReason::DeliveryError)));
    assert!(row.error.as_deref().unwrap().contains("Workflows: read and write"), "{row:?}");
    assert!(events.iter().any(|record| matches!(&record.event, Event::Delivered { diff: Some(_), .. })));
    assert!(github.tokens().iter().all(|(_, grant)| grant.permissions["workflows"].is_null()));

    let given =
        json!({"metadata": "read", "contents": "write", "pull_requests": "write", "workflows": "write"});
    github.grant_only(given);
    let id = team.api.submit(&wanted()).await.unwrap();
    let (row, events) = team.finished(id).await;
    assert_eq!((row.state, published(&events).len()), (JobState::Succeeded, 1), "{}", team.log());
    let good: Vec<_> =
        github.tokens().into_iter().filter(|(_, grant)| grant.permissions["workflows"] == "write").collect();
    assert_eq!(good.len(), 1);
    assert_eq!(github.wrong(), Vec::<String>::new());
}

#[tokio::test]
async fn a_github_that_is_away_for_a_while_is_waited_for_and_no_step_is_paid_for_again() {
    let (model, github) = (model().await, GitHub::start().await);
    let mut team = Team::new(&model.url).await;
    team.on_github(&github);
    let url = github.host("o/r", &repo());
    let away = Arc::new(AtomicBool::new(true));
    let is_away = away.clone();
    github.faults(move |_, path| {
        (path.ends_with("/pulls") && is_away.load(Ordering::Relaxed))
            .then(|| Fault::Answer(503, json!(null), &[]))
    });
    let _worker = team.worker();
    let id = team.api.submit(&job(&url)).await.unwrap();
    team.events_until(id, |event| matches!(event, Event::AttemptFailed { .. })).await;
    away.store(false, Ordering::Relaxed);
    let (row, events) = team.finished(id).await;
    assert_eq!(
        (row.state, published(&events).len(), github.pulls().len()),
        (JobState::Succeeded, 1, 1),
        "{}",
        team.log()
    );
    assert_eq!(model.answered(), 2);
}

#[tokio::test]
async fn a_base_that_cannot_be_looked_at_costs_no_pull_request() {
    let (model, github) = (model().await, GitHub::start().await);
    let mut team = Team::new(&model.url).await;
    team.on_github(&github);
    let url = github.host("o/r", &repo());
    let mut pushed = false;
    github.faults(move |method, path| {
        let is_gone = pushed && path.ends_with("/info/refs");
        pushed |= method == "POST" && path.ends_with("/git-receive-pack");
        is_gone.then(|| Fault::Answer(500, json!(null), &[]))
    });
    let _worker = team.worker();
    let id = team.api.submit(&job(&url)).await.unwrap();
    let (row, events) = team.finished(id).await;
    assert_eq!((row.state, row.attempt.0), (JobState::Succeeded, 1), "{}", team.log());
    assert_eq!((published(&events).len(), github.pulls()[0]["base"]["ref"].clone()), (1, json!("main")));
}

#[tokio::test]
async fn a_github_that_stays_away_leaves_the_result_in_the_record() {
    let database = testkit::TestDatabase::new().await;
    let admin = database.client("postgres").await;
    let (model, github) = (model().await, GitHub::start().await);
    let mut team = Team::on_database(database, &model.url).await;
    team.on_github(&github);
    let url = github.host("o/r", &repo());
    github.faults(|_, path| path.ends_with("/pulls").then(|| Fault::Answer(503, json!(null), &[])));
    let id = team.api.submit(&job(&url)).await.unwrap();
    admin.execute("update codeteam.jobs set max_attempts = 1 where id = $1", &[&id.0]).await.unwrap();
    let _worker = team.worker();
    let (row, events) = team.finished(id).await;
    assert_eq!(row.state, JobState::Dead, "{}", team.log());
    assert!(row.error.as_deref().unwrap().contains("cannot be reached"), "{row:?}");
    let kept = |is_it: &dyn Fn(&Event) -> bool| events.iter().filter(|record| is_it(&record.event)).count();
    assert_eq!(kept(&|event| matches!(event, Event::Verified { .. })), 1);
    assert_eq!(
        kept(&|event| matches!(event, Event::Delivered { diff: Some(diff), .. } if diff.contains("$1!"))),
        1
    );
    assert!(published(&events).is_empty());
}

/// The model looks for it where it can, and every process's arguments and environment are looked at all the while.
#[tokio::test]
async fn the_token_is_nowhere_that_anybody_looks() {
    let look = "env; cat .git/config; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' ' '; find / -name credentials -path '*codeteam-git*' 2>/dev/null | xargs cat; true";
    let model = ModelServer::start(move |turn, _| {
        Say::Content(match turn {
            0 => vec![tool("bash", json!({"command": look}))],
            1 => vec![tool("edit", json!({"path": "greet.sh", "old": "$1\"", "new": "$1!\""}))],
            _ => vec![tool("finish", json!({"summary": SUMMARY}))],
        })
    })
    .await;
    let github = GitHub::start().await;
    let mut team = Team::new(&model.url).await;
    team.on_github(&github);
    team.set("LOG", "trace");
    let url = github.host("o/r", &repo());
    let worker = team.worker();
    let stop = Arc::new(AtomicBool::new(false));
    let watched = stop.clone();
    let watch = std::thread::spawn(move || {
        let mut seen = Vec::new();
        while !watched.load(Ordering::Relaxed) {
            for process in std::fs::read_dir("/proc").unwrap().flatten() {
                for file in ["cmdline", "environ"] {
                    let read = std::fs::read(process.path().join(file)).unwrap_or_default();
                    let text = String::from_utf8_lossy(&read).into_owned();
                    if text.contains("ghs_") {
                        seen.push(text);
                    }
                }
            }
        }
        seen
    });
    let id = team.api.submit(&job(&url)).await.unwrap();
    let (row, events) = team.finished(id).await;
    stop.store(true, Ordering::Relaxed);
    let seen = tokio::task::spawn_blocking(move || watch.join().unwrap()).await.unwrap();
    assert_eq!(row.state, JobState::Succeeded, "{}", team.log());
    worker.kill().await;
    let pull = github.pulls().pop().unwrap().to_string();
    let requests = json!(model.requests()).to_string();
    let branch = github.git("o/r", &["log", "-p", &format!("codeteam/job-{id}")]);
    let told = [serde_json::to_string(&events).unwrap(), team.log(), pull, requests, branch, seen.join("\n")];
    for (token, _) in github.tokens() {
        for (index, text) in told.iter().enumerate() {
            assert!(!text.contains(&token), "place {index} holds the token");
        }
    }
    assert!(!told.concat().contains("BEGIN RSA PRIVATE KEY"));
}
