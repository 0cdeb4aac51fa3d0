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
    team.assert_books(&[job], model).await;
    // The living worker's own folder stays; nothing may be in it.
    let folders = std::fs::read_dir(team.path("work")).unwrap().flatten();
    let left: Vec<_> = folders.flat_map(|folder| std::fs::read_dir(folder.path()).unwrap()).collect();
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

/// What would be seen without the sandbox is planted, and seen by the test itself: the control.
#[tokio::test]
async fn a_command_sees_no_secret_no_network_and_nothing_of_the_worker() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let command = format!(
        "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; \
         find / -name 'codeteam_worker.json' 2>/dev/null | xargs -r cat; \
         (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && echo visited $((6 * 7)); echo all of it ran $((6 * 7))"
    );
    let model = ModelServer::start(move |turn, _| {
        Say::Content(match turn {
            0 => vec![tool("bash", json!({"command": command}))],
            1 => vec![tool("edit", json!({"path": "a.txt", "old": "one", "new": "two"}))],
            _ => vec![tool("finish", json!({"summary": "done"}))],
        })
    })
    .await;
    let mut team = Team::new(&model.url).await;
    team.set("PLANTED", "planted-in-the-workers-environment");
    let secrets = team.secrets("codeteam_worker");
    assert!(std::fs::read_to_string(secrets.strip_prefix("file:").unwrap()).unwrap().contains("sk-test-key"));
    let connected = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    listener.accept().await.unwrap();
    drop(connected);

    let repo = Repo::with(REPO);
    let _worker = team.worker();
    let job = team.submit(&repo, "look around", None).await;
    team.finished(job).await;
    let seen = model.requests().last().unwrap().to_string();
    assert!(seen.contains("all of it ran 42"), "{seen}");
    for secret in ["sk-test-key", "codeteam_worker@", "DATABASE_URL", "planted-in", "visited 42"] {
        assert!(!seen.contains(secret), "{secret} reached the model");
    }
    let visitor = tokio::time::timeout(std::time::Duration::from_millis(100), listener.accept()).await;
    assert!(visitor.is_err(), "a command reached a port of this machine");
}

/// An event that this worker does not know, as a newer one may have written it.
#[tokio::test]
async fn a_job_that_no_worker_can_take_up_is_given_up_after_its_attempts() {
    let database = testkit::TestDatabase::new().await;
    let admin = database.client("postgres").await;
    let model = fixer().await;
    let team = Team::on_database(database, &model.url).await;
    let repo = Repo::with(REPO);
    let job = team.submit(&repo, "x", None).await;
    let strange = "insert into codeteam.events (job_id, seq, attempt, kind, data) values ($1, 1, 0, 'from_the_future', '{}')";
    admin.execute(strange, &[&job.0]).await.unwrap();
    admin.execute("update codeteam.jobs set max_attempts = 2 where id = $1", &[&job.0]).await.unwrap();
    let _worker = team.worker();
    let dead = async {
        while team.api.job(job).await.unwrap().state != JobState::Dead {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(system_tests::PATIENCE, dead).await.unwrap_or_else(|_| panic!("{}", team.log()));
    let row = team.api.job(job).await.unwrap();
    assert_eq!(row.attempt.0, 2);
    assert!(row.error.unwrap().contains("from_the_future"));
}

/// Somebody has a job's row locked in an open transaction: there is a job, and none to claim.
#[tokio::test]
async fn a_worker_does_not_spin_on_a_job_that_it_cannot_claim() {
    let database = testkit::TestDatabase::new().await;
    let admin = database.client("postgres").await;
    let mut other = database.client("postgres").await;
    let model = fixer().await;
    let team = Team::on_database(database, &model.url).await;
    let repo = Repo::with(REPO);
    let job = team.submit(&repo, "x", Some("sh test.sh")).await;
    let lock = other.transaction().await.unwrap();
    lock.execute("select from codeteam.jobs where id = $1 for update", &[&job.0]).await.unwrap();
    let _worker = team.worker();
    let statements = "select xact_commit from pg_stat_database where datname = current_database()";
    let count = async || admin.query_one(statements, &[]).await.unwrap().get::<_, i64>(0);
    while team.api.workers().await.unwrap().is_empty() {}
    let before = count().await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await; // the span over which it is counted
    let made = count().await - before;
    assert!(made < 100, "{made} statements in three seconds");
    lock.commit().await.unwrap();
    assert_eq!(team.finished(job).await.0.outcome, Some(Outcome::Verified));
}

#[tokio::test]
async fn a_change_that_is_too_large_to_keep_is_the_models_to_undo() {
    let model = ModelServer::start(|turn, _| {
        Say::Content(match turn {
            0 => vec![tool("bash", json!({"command": "head -c 10000000 /dev/urandom > big.bin"}))],
            1 => vec![tool("bash", json!({"command": "rm big.bin"}))],
            2 => vec![tool("edit", json!({"path": "a.txt", "old": "one", "new": "two"}))],
            _ => vec![tool("finish", json!({"summary": "done"}))],
        })
    })
    .await;
    let row = run(&model, |_| {}).await;
    assert_eq!(row.outcome, Some(Outcome::Verified), "{:?}", row.error);
    assert!(model.requests()[1].to_string().contains("big.bin"), "the model is told what is too large");
}
