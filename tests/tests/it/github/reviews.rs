//! Reviews of pull requests, from the job to the review.

use domain::{Delivery, JobState, NewJob, Task};
use serde_json::json;
use system_tests::github::{Fault, GitHub};
use system_tests::{ModelServer, Say, Team, tool};

use super::jobs::{published, repo};

/// `o/r` with a pull request.
async fn hosted() -> (GitHub, String, u64) {
    let github = GitHub::start().await;
    let repo = repo();
    repo.git(&["checkout", "--quiet", "-b", "topic"]);
    std::fs::write(repo.path().join("greet.sh"), "#!/bin/sh\necho Hello\n").unwrap();
    repo.commit("shorter");
    repo.git(&["checkout", "--quiet", "main"]);
    let url = github.host("o/r", &repo);
    let number = github.open("o/r", "topic", "main");
    (github, url, number)
}

async fn reviewer() -> ModelServer {
    ModelServer::start(|turn, _| {
        Say::Content(match turn {
            0 => vec![tool("read", json!({"path": "greet.sh"}))],
            _ => {
                let finding = |path: &str, line: u32, title: &str| {
                    json!({"path": path, "line": line, "severity": "major", "title": title, "body": "See @octocat."})
                };
                let mut lost = finding("greet.sh", 2, "the name is lost");
                lost["suggestion"] = json!("echo \"Hello, $1\"");
                let findings = [lost, finding("test.sh", 1, "the test fails")];
                vec![tool("finish", json!({"summary": "One thing is wrong. cc @octocat", "findings": findings}))]
            }
        })
    })
    .await
}

fn review(url: &str, number: u64) -> NewJob {
    NewJob { head: Some(format!("pull/{number}")), ..NewJob::new(Task::Review, url, "look closely") }
}

#[tokio::test]
async fn a_review_is_written_once_and_one_comment_says_how_it_stands() {
    let (model, (github, url, number)) = (reviewer().await, hosted().await);
    let mut team = Team::new(&model.url).await;
    team.on_github(&github);
    let _worker = team.worker();
    let id = team.api.submit(&review(&url, number)).await.unwrap();
    let (row, events) = team.finished(id).await;
    assert_eq!(row.state, JobState::Succeeded, "{}", team.log());
    let reviews = github.reviews();
    assert_eq!(reviews.len(), 1);
    let (review, comments) = &reviews[0];
    assert_eq!(
        published(&events),
        [(Delivery::PullRequest, review["html_url"].as_str().unwrap().to_owned())]
    );
    assert_eq!(
        (&review["state"], &review["commit_id"]),
        (&json!("COMMENTED"), &json!(github.git("o/r", &["rev-parse", "topic"])))
    );
    let body = review["body"].as_str().unwrap();
    assert!(body.starts_with(&format!("<!-- codeteam job-{id} -->")) && !body.contains("@octocat"), "{body}");
    assert_eq!(body.matches("the name is lost").count(), 0, "it stands at its place alone: {body}");
    assert!(body.contains("One thing is wrong") && body.contains("**test.sh:1**"), "{body}");
    assert_eq!(comments.len(), 1, "{comments:#?}");
    assert_eq!(
        (&comments[0]["path"], &comments[0]["line"], &comments[0]["side"]),
        (&json!("greet.sh"), &json!(2), &json!("RIGHT"))
    );
    let said = comments[0]["body"].as_str().unwrap();
    assert!(said.ends_with("```suggestion\necho \"Hello, $1\"\n```") && !said.contains("@octocat"), "{said}");
    let comments = github.comments();
    assert_eq!(comments.len(), 1, "{comments:#?}");
    assert!(
        comments[0]["body"].as_str().unwrap().contains("Reviewed: 2 findings: 2 major."),
        "{comments:#?}"
    );
    let rights = json!({"metadata": "read", "contents": "read", "pull_requests": "write"});
    assert_eq!(github.tokens()[0].1.permissions, rights, "who reviews cannot push");
    assert_eq!(github.wrong(), Vec::<String>::new());
}

#[tokio::test]
async fn a_worker_that_dies_after_its_review_is_followed_by_one_that_finds_it() {
    let (model, (github, url, number)) = (reviewer().await, hosted().await);
    let mut team = Team::new(&model.url).await;
    team.on_github(&github);
    github
        .faults(|method, path| (method == "POST" && path.ends_with("/reviews")).then_some(Fault::HangAfter));
    let first = team.worker();
    let id = team.api.submit(&review(&url, number)).await.unwrap();
    github.hangs().await;
    first.kill().await;
    github.no_faults();
    let _second = team.worker();
    let (row, events) = team.finished(id).await;
    assert_eq!((row.state, row.attempt.0), (JobState::Succeeded, 2), "{}", team.log());
    assert_eq!((github.reviews().len(), github.comments().len(), published(&events).len()), (1, 1, 1));
}

#[tokio::test]
async fn a_review_that_comes_to_nothing_says_so_on_the_pull_request() {
    let (github, url, number) = hosted().await;
    let model = ModelServer::start(|_, _| Say::Status(400)).await;
    let mut team = Team::new(&model.url).await;
    team.on_github(&github);
    let mut worker = team.worker();
    let id = team.api.submit(&review(&url, number)).await.unwrap();
    let (row, _) = team.finished(id).await;
    assert_eq!(row.state, JobState::Failed, "{}", team.log());
    worker.signal(nix::sys::signal::Signal::SIGTERM);
    worker.wait().await;
    let comments = github.comments();
    assert!(github.reviews().is_empty() && comments.len() == 1);
    assert!(
        comments[0]["body"].as_str().unwrap().contains("No review came of this: model error."),
        "{comments:#?}"
    );
}

#[tokio::test]
async fn a_review_that_is_to_stay_in_the_record_writes_nothing() {
    let (model, (github, url, number)) = (reviewer().await, hosted().await);
    let mut team = Team::new(&model.url).await;
    team.on_github(&github);
    let _worker = team.worker();
    let quiet = NewJob { delivery: Some(Delivery::Patch), ..review(&url, number) };
    let id = team.api.submit(&quiet).await.unwrap();
    let (row, events) = team.finished(id).await;
    assert_eq!(row.state, JobState::Succeeded, "{}", team.log());
    assert!(published(&events).is_empty() && github.reviews().is_empty() && github.comments().is_empty());
    let rights = json!({"metadata": "read", "contents": "read", "pull_requests": "read"});
    assert_eq!(github.tokens()[0].1.permissions, rights);
}
