//! Tasks that change code, from the job to its pull request.

use domain::{Delivery, Event, EventRecord, ExitReason, JobId, JobState, NewJob, Outcome, Task};
use serde_json::{Value, json};
use system_tests::github::{Fault, GitHub, LOGIN};
use system_tests::{ModelServer, Repo, Say, Team, tool};

pub const TEST: &str = "sh test.sh";
pub const SUMMARY: &str = "Greet with an exclamation mark\n\nfixes #1, thanks @octocat <!-- hidden -->";

pub fn repo() -> Repo {
    Repo::with(&[
        ("greet.sh", "#!/bin/sh\necho \"Hello, $1\"\n"),
        ("test.sh", "test \"$(sh greet.sh World)\" = 'Hello, World!'\n"),
    ])
}

/// A model that repairs it in two steps.
pub async fn model() -> ModelServer {
    ModelServer::start(|turn, _| {
        Say::Content(match turn {
            0 => vec![tool("edit", json!({"path": "greet.sh", "old": "$1\"", "new": "$1!\""}))],
            _ => vec![tool("finish", json!({"summary": SUMMARY}))],
        })
    })
    .await
}

pub fn job(url: &str) -> NewJob {
    NewJob { test_command: Some(TEST.into()), ..NewJob::new(Task::BugFix, url, "greet louder, @team") }
}

pub fn published(events: &[EventRecord]) -> Vec<(Delivery, String)> {
    let published = events.iter().filter_map(|record| match &record.event {
        Event::Published { delivery, url } => Some((*delivery, url.clone())),
        _ => None,
    });
    published.collect()
}

fn branch(id: JobId) -> String {
    format!("codeteam/job-{id}")
}

/// The one pull request of the job is as it should be.
fn assert_delivered(github: &GitHub, id: JobId) -> Value {
    let pulls = github.pulls();
    assert_eq!(pulls.len(), 1, "{pulls:#?}");
    let pull = pulls[0].clone();
    assert_eq!(
        (&pull["draft"], &pull["head"]["ref"], &pull["base"]["ref"]),
        (&json!(true), &json!(branch(id)), &json!("main"))
    );
    assert_eq!(
        github.git("o/r", &["show", &format!("{}:greet.sh", branch(id))]),
        "#!/bin/sh\necho \"Hello, $1!\""
    );
    assert_eq!(github.git("o/r", &["rev-list", "--count", &format!("main..{}", branch(id))]), "1");
    assert_eq!(github.wrong(), Vec::<String>::new());
    pull
}

#[tokio::test]
async fn a_fix_ends_in_one_draft_pull_request_that_says_what_was_done_and_what_it_cost() {
    let (model, github) = (model().await, GitHub::start().await);
    let mut team = Team::new(&model.url).await;
    team.on_github(&github);
    let url = github.host("o/r", &repo());
    let _worker = team.worker();
    let id = team.api.submit(&job(&url)).await.unwrap();
    let (row, events) = team.finished(id).await;
    assert_eq!((row.state, row.outcome), (JobState::Succeeded, Some(Outcome::Verified)), "{}", team.log());
    let pull = assert_delivered(&github, id);
    assert_eq!(published(&events), [(Delivery::PullRequest, pull["html_url"].as_str().unwrap().to_owned())]);
    assert_eq!(pull["title"], "Greet with an exclamation mark");
    let body = pull["body"].as_str().unwrap();
    let spent = format!("({} micro-dollars)", row.cost.0);
    for part in [
        format!("<!-- codeteam job-{id} -->"),
        "and this passed there".into(),
        TEST.into(),
        "2 model calls".into(),
        spent,
    ] {
        assert!(body.contains(&part), "{part:?} is missing: {body}");
    }
    assert!(!body.contains("#1") && !body.contains("@octocat") && !body.contains("<!-- hidden"), "{body}");

    let told = github.git("o/r", &["log", "-1", "--format=%an|%ae|%cn|%B", &branch(id)]);
    assert!(
        told.starts_with(&format!("{LOGIN}|991+{LOGIN}@users.noreply.127.0.0.1|{LOGIN}|Greet with")),
        "{told}"
    );
    assert!(told.ends_with(&format!("Codeteam-Job: {id}")) && !told.contains("#1"), "{told}");
    let (_, grant) = github.tokens().pop().unwrap();
    let rights = json!({"metadata": "read", "contents": "write", "pull_requests": "write"});
    assert_eq!((github.tokens().len(), grant.permissions), (1, rights));
}

/// A worker dies when a request of its delivery hangs; the next one finishes the job.
async fn killed_at(fault: Fault, method: &'static str, path: &'static str) {
    let (model, github) = (model().await, GitHub::start().await);
    let mut team = Team::new(&model.url).await;
    team.on_github(&github);
    let url = github.host("o/r", &repo());
    github.faults(move |asked, at| (asked == method && at.ends_with(path)).then(|| fault.clone()));
    let first = team.worker();
    let id = team.api.submit(&job(&url)).await.unwrap();
    github.hangs().await;
    first.kill().await;
    github.no_faults();
    let before = github.git("o/r", &["rev-parse", &branch(id)]);
    let _second = team.worker();
    let (row, events) = team.finished(id).await;
    assert_eq!((row.state, row.attempt.0), (JobState::Succeeded, 2), "{}", team.log());
    assert_delivered(&github, id);
    assert_eq!(published(&events).len(), 1);
    assert_eq!(github.git("o/r", &["rev-parse", &branch(id)]), before, "the first one's commit is found");
    assert_eq!(model.answered(), 2, "no step is paid for again");
}

#[tokio::test]
async fn a_worker_that_dies_between_push_and_pull_request_is_followed_by_one_that_opens_it() {
    killed_at(Fault::Hang, "POST", "/pulls").await;
}

#[tokio::test]
async fn a_worker_that_dies_after_the_pull_request_is_followed_by_one_that_finds_it() {
    killed_at(Fault::HangAfter, "POST", "/pulls").await;
}

#[tokio::test]
async fn what_fails_its_test_is_published_only_where_that_is_asked_for_and_never_as_done() {
    let model = ModelServer::start(|turn, _| {
        Say::Content(match turn {
            0 => vec![tool("edit", json!({"path": "greet.sh", "old": "$1\"", "new": "$1?\""}))],
            _ => vec![tool("finish", json!({"summary": "all green"}))],
        })
    })
    .await;
    let github = GitHub::start().await;
    let mut team = Team::new(&model.url).await;
    team.on_github(&github);
    let url = github.host("o/r", &repo());
    let _worker = team.worker();
    let quiet = team.api.submit(&job(&url)).await.unwrap();
    let (row, events) = team.finished(quiet).await;
    assert_eq!(
        (row.state, row.outcome, published(&events).len()),
        (JobState::Failed, Some(Outcome::Failed), 0)
    );
    assert!(github.pulls().is_empty() && github.git("o/r", &["branch", "--list", "codeteam/*"]).is_empty());
    let asked = NewJob { delivery: Some(Delivery::PullRequest), ..job(&url) };
    let id = team.api.submit(&asked).await.unwrap();
    let (row, _) = team.finished(id).await;
    assert_eq!((row.state, row.outcome), (JobState::Failed, Some(Outcome::Failed)), "{}", team.log());
    let pull = github.pulls().pop().unwrap();
    assert_eq!((&pull["title"], &pull["draft"]), (&json!("Tests fail: all green"), &json!(true)));
    assert!(pull["body"].as_str().unwrap().contains("**The test command fails on these changes."));
}

#[tokio::test]
async fn a_base_that_moves_meanwhile_is_told_of() {
    let github = GitHub::start().await;
    let url = github.host("o/r", &repo());
    let bare = github.repository("o/r");
    let model = ModelServer::start(move |turn, _| {
        Say::Content(match turn {
            0 => {
                let work = tempfile::tempdir().unwrap();
                let script = "git clone -q \"$0\" w && cd w && echo elsewhere > greet.sh && \
                    git -c user.name=p -c user.email=p@x commit -qam moved && git push -q origin HEAD:main";
                let ran = std::process::Command::new("sh")
                    .args(["-c", script])
                    .arg(&bare)
                    .current_dir(work.path())
                    .status();
                assert!(ran.unwrap().success());
                vec![tool("edit", json!({"path": "greet.sh", "old": "$1\"", "new": "$1!\""}))]
            }
            _ => vec![tool("finish", json!({"summary": SUMMARY}))],
        })
    })
    .await;
    let mut team = Team::new(&model.url).await;
    team.on_github(&github);
    let _worker = team.worker();
    let id = team.api.submit(&job(&url)).await.unwrap();
    let (row, _) = team.finished(id).await;
    assert_eq!(row.state, JobState::Succeeded, "{}", team.log());
    let pull = assert_delivered(&github, id);
    assert!(pull["body"].as_str().unwrap().contains("these changes conflict with it"), "{pull:#}");
}

#[tokio::test]
async fn without_github_a_branch_is_pushed_where_that_is_asked_for() {
    let model = model().await;
    let team = Team::new(&model.url).await;
    let repo = repo();
    let _worker = team.worker();
    let asked = NewJob { delivery: Some(Delivery::Branch), ..job(&repo.url()) };
    let id = team.api.submit(&asked).await.unwrap();
    let (row, events) = team.finished(id).await;
    assert_eq!(row.state, JobState::Succeeded, "{}", team.log());
    assert_eq!(published(&events), [(Delivery::Branch, branch(id))]);
    assert_eq!(
        repo.git(&["log", "-1", "--format=%an|%s", &branch(id)]),
        "codeteam|Greet with an exclamation mark\n"
    );
    assert_eq!(repo.git(&["status", "--porcelain"]), "");

    let wrong = NewJob { delivery: Some(Delivery::PullRequest), ..job(&repo.url()) };
    let id = team.api.submit(&wrong).await.unwrap();
    let (row, _) = team.finished(id).await;
    assert_eq!(
        (row.state, row.exit_reason, row.steps),
        (JobState::Failed, Some(ExitReason::DeliveryError), 0)
    );
    assert!(row.error.unwrap().contains("ask for delivery branch or patch"));
}
