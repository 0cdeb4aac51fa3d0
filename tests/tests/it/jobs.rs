//! What becomes of a job, from submit to result.

use domain::{Change, Event, ExitReason, JobChanges, JobState, Outcome};
use rehearsal::Rehearsal;
use serde_json::json;
use system_tests::{ModelServer, Repo, Say, Team, say, tool};

const REPO: &[(&str, &str)] = &[
    ("greet.sh", "#!/bin/sh\necho \"Hello, $1\"\n"),
    ("test.sh", "test \"$(sh greet.sh World)\" = 'Hello, World!'\n"),
];

fn diff_of(events: &[domain::EventRecord]) -> String {
    let delivered = events.iter().find_map(|record| match &record.event {
        Event::Delivered { diff: Some(diff), .. } => Some(diff.clone()),
        _ => None,
    });
    delivered.expect("a delivered diff")
}

#[tokio::test]
async fn a_rehearsed_job_ends_in_a_patch_that_passes_the_repositorys_own_test() {
    let model = Rehearsal::start(rehearsal::demo::script().unwrap()).await.unwrap();
    let team = Team::new(&model.url()).await;
    let repo = Repo::demo();
    let _worker = team.worker();
    let job = team.submit_demo(&repo).await;
    let (row, events) = team.finished(job).await;
    assert_eq!((row.state, row.outcome), (JobState::Succeeded, Some(Outcome::Verified)), "{}", team.log());
    assert_eq!(row.exit_reason, Some(ExitReason::Finished));
    assert_eq!(row.models, ["rehearsal"], "it is named for what it is");
    assert!(repo.passes_with(&diff_of(&events), rehearsal::demo::TEST_COMMAND));

    let seqs: Vec<i64> = events.iter().map(|record| record.seq).collect();
    assert_eq!(seqs, (1..=events.len() as i64).collect::<Vec<_>>());
    team.assert_books(&[job], model.stop().await).await;
    assert_eq!(repo.git(&["status", "--porcelain"]), "", "the user's repository is only read");
}

/// Nothing here was written with this program in mind but the protocol.
#[tokio::test]
async fn ledger_and_events_agree_with_what_a_model_server_counted() {
    let model = ModelServer::start(|turn, _| {
        Say::Content(match turn {
            0 => vec![say("I look."), tool("bash", json!({"command": "cat greet.sh; sh test.sh; echo $?"}))],
            1 => vec![tool("edit", json!({"path": "greet.sh", "old": "$1\"", "new": "$1!\""}))],
            _ => vec![tool("finish", json!({"summary": "greets with an exclamation mark"}))],
        })
    })
    .await;
    let team = Team::new(&model.url).await;
    let repo = Repo::with(REPO);
    let _worker = team.worker();
    let job = team.submit(&repo, "the greeting lacks its exclamation mark", Some("sh test.sh")).await;
    let (row, events) = team.finished(job).await;
    assert_eq!((row.state, row.outcome), (JobState::Succeeded, Some(Outcome::Verified)), "{}", team.log());
    assert!(repo.passes_with(&diff_of(&events), "sh test.sh"));
    assert_eq!(row.steps, 3);
    team.assert_books(&[job], &model).await;
    assert_eq!(model.keys(), ["sk-test-key"; 3]);

    // $1 and $5 per million tokens, cached reads at a tenth, writes at five quarters: claude-haiku-4-5's prices.
    let calls = team.api.calls(job).await.unwrap();
    let exact: i64 = calls
        .iter()
        .map(|call| {
            let u = call.usage;
            (u.uncached * 1_000 + u.cache_read * 100 + u.cache_write_5m * 1_250 + u.output * 5_000)
                .div_ceil(1_000) as i64
        })
        .sum();
    assert_eq!(row.cost.0, exact);
}

#[tokio::test]
async fn a_change_that_fails_the_test_in_the_clean_checkout_fails_whatever_the_model_claims() {
    let model = ModelServer::start(|turn, _| {
        Say::Content(match turn {
            // It makes the test pass in its own workspace only: what git ignores is not part of a patch.
            0 => vec![tool(
                "bash",
                json!({"command": "echo '*.cheat' > .gitignore; touch it.cheat; echo 'test -e it.cheat' > test.sh; sh test.sh && echo ok"}),
            )],
            _ => vec![tool("finish", json!({"summary": "all tests pass now, verified"}))],
        })
    })
    .await;
    let team = Team::new(&model.url).await;
    let repo = Repo::with(REPO);
    let _worker = team.worker();
    let job = team.submit(&repo, "fix the greeting", Some("sh test.sh")).await;
    let (row, _) = team.finished(job).await;
    assert_eq!((row.state, row.outcome), (JobState::Failed, Some(Outcome::Failed)));
    assert_eq!(row.error.as_deref(), Some("the test command failed with exit code 1"));
}

#[tokio::test]
async fn a_report_is_delivered_for_a_task_that_reads() {
    let model = ModelServer::start(|turn, _| {
        Say::Content(match turn {
            0 => vec![tool("read", json!({"path": "greet.sh"}))],
            _ => vec![tool(
                "finish",
                json!({"report": "# Findings\n\ngreet.sh:2 greets, lib/gone.sh:4 does not."}),
            )],
        })
    })
    .await;
    let team = Team::new(&model.url).await;
    let repo = Repo::with(REPO);
    let _worker = team.worker();
    let mut job = testkit::job();
    (job.task, job.repo) = (domain::Task::Analysis, repo.url());
    let job = team.api.submit(&job).await.unwrap();
    let (row, events) = team.finished(job).await;
    assert_eq!((row.state, row.outcome), (JobState::Succeeded, Some(Outcome::Unverified)), "{}", team.log());
    assert!(events.iter().any(|record| matches!(&record.event,
        Event::Delivered { report: Some(report), .. } if report.contains("greet.sh:2 greets, lib/gone.sh:4 (no such place) does not"))));
    let note = "1 of the 2 places that the report names does not exist at the commit.";
    assert!(events.iter().any(|record| record.event == Event::Noted { message: note.into() }), "{events:#?}");
    let told = model.requests()[2].to_string();
    assert!(told.contains("lib/gone.sh:4: there is no such file"), "the model is told once: {told}");
    assert_eq!(row.steps, 3);
    team.assert_books(&[job], &model).await;
}

#[tokio::test]
async fn a_review_ends_in_findings_that_stand_where_the_changes_are() {
    let finding = |line: u32, title: &str, severity: &str| json!({"path": "greet.sh", "line": line, "severity": severity, "title": title, "body": "Because.", "suggestion": "echo"});
    let found = json!([
        finding(2, "It shouts", "minor"),
        finding(30, "Far away", "critical"),
        finding(2, "it shouts.", "major")
    ]);
    let model = ModelServer::start(move |turn, _| {
        Say::Content(match turn {
            0 => vec![tool("read", json!({"path": "greet.sh"}))],
            _ => vec![tool("finish", json!({"summary": "Nearly there.", "findings": found}))],
        })
    })
    .await;
    let team = Team::new(&model.url).await;
    let long: String = (3..40).map(|n| format!("# {n}\n")).collect();
    let repo = Repo::with(&[("greet.sh", &format!("#!/bin/sh\necho \"Hello, $1\"\n{long}"))]);
    repo.git(&["checkout", "--quiet", "-b", "loud"]);
    std::fs::write(repo.path().join("greet.sh"), format!("#!/bin/sh\necho \"HELLO, $1\"\n{long}")).unwrap();
    repo.commit("shout");
    repo.git(&["checkout", "--quiet", "main"]);
    let _worker = team.worker();
    let mut job = testkit::job();
    (job.task, job.repo, job.head) = (domain::Task::Review, repo.url(), Some("loud".into()));
    let job = team.api.submit(&job).await.unwrap();
    let (row, events) = team.finished(job).await;
    assert_eq!((row.state, row.outcome), (JobState::Succeeded, Some(Outcome::Unverified)), "{}", team.log());
    let first = model.requests()[0]["messages"][0]["content"][0]["text"].as_str().unwrap().to_owned();
    assert!(first.contains("Changes under review, 1 file") && first.contains("+echo \"HELLO"), "{first}");
    let Some(Event::Delivered { report: Some(report), summary, findings, .. }) = events
        .iter()
        .map(|record| record.event.clone())
        .find(|event| matches!(event, Event::Delivered { .. }))
    else {
        panic!("{events:#?}")
    };
    let settled: Vec<_> =
        findings.iter().map(|found| (found.line, found.severity.as_str(), found.anchored)).collect();
    assert_eq!(settled, [(30, "critical", false), (2, "major", true)], "merged, and the worst first");
    assert_eq!(summary, "Nearly there.");
    for part in [
        "2 findings: 1 critical, 1 major.",
        "`greet.sh:30` (outside of the changes)",
        "## major: It shouts\n\n`greet.sh:2`\n",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    team.assert_books(&[job], &model).await;
}

#[tokio::test]
async fn a_running_job_is_cancelled_within_its_command() {
    let model =
        ModelServer::start(|_, _| Say::Content(vec![tool("bash", json!({"command": "sleep 601.5"}))])).await;
    let team = Team::new(&model.url).await;
    let repo = Repo::with(REPO);
    let _worker = team.worker();
    let job = team.submit(&repo, "sleep", None).await;
    until(|| sleeping("601.5")).await;
    team.api.cancel(job).await.unwrap();
    let (row, _) = team.finished(job).await;
    assert_eq!((row.state, row.exit_reason), (JobState::Cancelled, Some(ExitReason::Cancelled)));
    assert!(!sleeping("601.5"), "its command outlives it");
}

#[tokio::test]
async fn a_retry_with_another_prompt_starts_a_conversation_of_its_own() {
    let model = ModelServer::start(|turn, request| {
        let asks_for_sleep = request["messages"][0].to_string().contains("say goodbye");
        Say::Content(match (asks_for_sleep, turn) {
            (true, _) => vec![tool("finish", json!({"summary": "nothing to greet"}))],
            (false, 0) => vec![tool("edit", json!({"path": "greet.sh", "old": "Hello", "new": "Goodbye"}))],
            (false, _) => vec![tool("finish", json!({"summary": "says goodbye"}))],
        })
    })
    .await;
    let team = Team::new(&model.url).await;
    let repo = Repo::with(REPO);
    let _worker = team.worker();
    let job = team.submit(&repo, "say goodbye", None).await;
    assert_eq!(team.finished(job).await.0.state, JobState::Failed, "nothing was changed");
    let before = model.requests().len();

    let prompt = Some("the greeting is too cheerful".to_owned());
    let changes = JobChanges { prompt, step_cap: Change::To(2), ..JobChanges::default() };
    team.api.retry_with(job, &changes).await.unwrap();
    let mut ends = 0;
    let mut reader = store::ReadEvents::new(team.api.clone(), job, 0);
    while ends < 2 {
        let events = tokio::time::timeout(system_tests::PATIENCE, reader.next()).await.unwrap().unwrap();
        ends += events.iter().filter(|record| matches!(record.event, Event::Finished { .. })).count();
    }
    let again = &model.requests()[before..];
    let first = &again[0]["messages"];
    assert_eq!(first.as_array().unwrap().len(), 1, "nothing of the old conversation is said: {first}");
    assert!(
        first.to_string().contains("too cheerful") && !first.to_string().contains("say goodbye"),
        "{first}"
    );
    let row = team.api.job(job).await.unwrap();
    assert_eq!(
        (row.state, again.len()),
        (JobState::Succeeded, 2),
        "{:?}, and the cap counts afresh",
        row.error
    );
}

/// Whether a `sleep` of that span runs on this machine.
fn sleeping(span: &str) -> bool {
    let line = format!("sleep\0{span}\0").into_bytes();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .map(|entry| std::fs::read(entry.path().join("cmdline")))
        .any(|read| read.is_ok_and(|found| found == line))
}

async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(system_tests::PATIENCE, waiting).await.expect("it to become true");
}
