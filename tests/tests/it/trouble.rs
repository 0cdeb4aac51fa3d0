//! Jobs that cannot be done: each ends with its reason, in one sentence, and nothing stays behind.

use domain::{ExitReason, JobState, NewJob, Outcome};
use serde_json::json;
use system_tests::{ModelServer, Repo, Say, Team, tool};

const REPO: &[(&str, &str)] = &[("a.txt", "one\n"), ("test.sh", "grep -q two a.txt\n")];

async fn fixer() -> ModelServer {
    ModelServer::start(|turn, _| {
        Say::Content(match turn {
            0 => vec![tool("edit", json!({"path": "a.txt", "old": "one", "new": "two"}))],
            _ => vec![tool("finish", json!({"summary": "done"}))],
        })
    })
    .await
}

/// Runs one changed job to its end.
async fn run(model: &ModelServer, change: impl FnOnce(&mut NewJob)) -> store::JobRow {
    let team = Team::new(&model.url).await;
    let repo = Repo::with(REPO);
    let _worker = team.worker();
    let mut job = testkit::job();
    (job.repo, job.test_command) = (repo.url(), Some("sh test.sh".into()));
    change(&mut job);
    let job = team.api.submit(&job).await.unwrap();
    let row = team.finished(job).await.0;
    let left: Vec<_> = std::fs::read_dir(team.path("work")).unwrap().collect();
    assert!(left.is_empty(), "a checkout stays behind: {left:?}");
    row
}

#[tokio::test]
async fn a_repository_that_is_not_there_fails_at_once() {
    let row = run(&fixer().await, |job| job.repo = "/no/such/repository".into()).await;
    assert_eq!((row.state, row.exit_reason), (JobState::Failed, Some(ExitReason::DeliveryError)));
    assert!(row.error.unwrap().contains("/no/such/repository"));
}

#[tokio::test]
async fn a_base_that_is_not_there_is_answered_with_those_that_are() {
    let row = run(&fixer().await, |job| job.base = Some("develop".into())).await;
    let error = row.error.unwrap();
    assert!(error.contains("develop") && error.contains("main"), "{error}");
}

#[tokio::test]
async fn an_unknown_model_is_answered_with_those_that_are_known() {
    let row = run(&fixer().await, |job| job.model = Some("gpt-99".into())).await;
    assert_eq!((row.state, row.exit_reason), (JobState::Failed, Some(ExitReason::ModelError)));
    assert!(row.error.as_ref().unwrap().contains("claude-haiku-4-5"), "{:?}", row.error);
}

#[tokio::test]
async fn a_test_command_that_never_ends_ends_with_the_jobs_time() {
    let row = run(&fixer().await, |job| {
        job.test_command = Some("sleep 600".into());
        job.caps.time_limit_ms = Some(6_000);
    })
    .await;
    assert_eq!((row.state, row.outcome), (JobState::Failed, Some(Outcome::Failed)));
    assert_eq!(row.exit_reason, Some(ExitReason::TimeLimit));
}

#[tokio::test]
async fn a_refused_key_is_said_and_not_tried_again() {
    let model = ModelServer::start(|_, _| Say::Status(401)).await;
    let row = run(&model, |_| {}).await;
    assert_eq!((row.state, row.exit_reason), (JobState::Failed, Some(ExitReason::ModelError)));
    assert_eq!(model.requests().len(), 1);
    assert_eq!(row.cost.0, 0, "nothing was billed");
    assert!(!row.error.unwrap().contains("sk-test-key"));
}

#[tokio::test]
async fn a_step_cap_is_exact_and_what_exists_is_delivered() {
    let model = ModelServer::start(|turn, _| {
        Say::Content(vec![match turn {
            0 => tool("edit", json!({"path": "a.txt", "old": "one", "new": "two"})),
            _ => tool("bash", json!({"command": format!("echo {turn}")})),
        }])
    })
    .await;
    let row = run(&model, |job| job.caps.step_cap = Some(3)).await;
    assert_eq!(model.requests().len(), 3);
    assert_eq!((row.outcome, row.exit_reason), (Some(Outcome::Verified), Some(ExitReason::StepCap)));
    assert_eq!(row.state, JobState::Succeeded, "the clean checkout says that it is right");
}

#[tokio::test]
async fn huge_binary_and_broken_output_harms_nobody() {
    let model = ModelServer::start(|turn, _| {
        Say::Content(match turn {
            0 => vec![tool("bash", json!({"command": "head -c 10000000 /dev/urandom; printf 'a\\0b\\377'"}))],
            1 => vec![tool(
                "bash",
                json!({"command": "printf 'x\\0\\377y' > binary; head -c 100000 /dev/urandom > more"}),
            )],
            2 => vec![tool("edit", json!({"path": "a.txt", "old": "one", "new": "two"}))],
            _ => vec![tool("finish", json!({"summary": "done\u{0}"}))],
        })
    })
    .await;
    let row = run(&model, |_| {}).await;
    assert_eq!(row.outcome, Some(Outcome::Verified), "{:?}", row.error);
    let largest = model.requests().iter().map(|request| request.to_string().len()).max().unwrap();
    assert!(largest < 100_000, "the model was sent {largest} bytes");
}

#[tokio::test]
async fn a_command_sees_no_secret_no_network_and_nothing_of_the_worker() {
    let model = ModelServer::start(|turn, _| {
        let command = "cat /proc/1/environ /proc/$PPID/environ | tr '\\0' '\\n' | grep -c -e SECRETS -e sk-test; \
                       find / -name '*.json' -path '*codeteam_worker*' 2>/dev/null | xargs -r cat; \
                       (exec 3<>/dev/tcp/127.0.0.1/$PORT) 2>&1; env";
        Say::Content(match turn {
            0 => vec![tool("bash", json!({"command": command}))],
            1 => vec![tool("edit", json!({"path": "a.txt", "old": "one", "new": "two"}))],
            _ => vec![tool("finish", json!({"summary": "done"}))],
        })
    })
    .await;
    run(&model, |_| {}).await;
    let seen = model.requests().last().unwrap().to_string();
    for secret in ["sk-test-key", "codeteam_worker@", "DATABASE_URL", "SECRETS="] {
        assert!(!seen.contains(secret), "{secret} reached the model");
    }
}
