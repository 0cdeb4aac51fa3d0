//! The set-up command: fetches what a build needs, for the agent and again for the verification, and nothing else.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::{Event, EventRecord, ExitReason, JobState, NewJob, Outcome, Task};
use serde_json::json;
use store::JobRow;
use system_tests::{ModelServer, Repo, Say, Team, say, tool};

/// The test passes only with what the set-up fetched.
const REPO: &[(&str, &str)] = &[
    ("greet.sh", "#!/bin/sh\n. deps/lib.sh\necho \"$(greeting), $1\"\n"),
    ("test.sh", "test \"$(sh greet.sh World)\" = 'Hello, World!'\n"),
    (".gitignore", "deps/\n"),
];

/// A web server that stands for the outside: serves a library, and counts.
fn outside() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = Arc::new(AtomicUsize::new(0));
    let count = served.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4_096]);
            let body = "greeting() { echo Hello; }\n";
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    (port, served)
}

fn fetch(port: u16) -> String {
    format!("mkdir -p deps && curl -fsS --noproxy '' -o deps/lib.sh http://127.0.0.1:{port}/lib.sh")
}

async fn ended(hosts: &str, set_up: &str) -> (JobRow, Vec<EventRecord>, Team, ModelServer) {
    let model = ModelServer::start(|turn, _| {
        Say::Content(match turn {
            0 => vec![
                say("I look."),
                tool("bash", json!({"command": "cat deps/lib.sh; ls -A $HOME | grep -v tmp"})),
            ],
            1 => vec![tool("edit", json!({"path": "greet.sh", "old": "$1\"", "new": "$1!\""}))],
            _ => vec![tool("finish", json!({"summary": "greets with an exclamation mark"}))],
        })
    })
    .await;
    let mut team = Team::new(&model.url).await;
    team.set("SETUP_HOSTS", hosts);
    let repo = Repo::with(REPO);
    let job = NewJob {
        setup_command: Some(set_up.to_owned()),
        test_command: Some("sh test.sh".to_owned()),
        ..NewJob::new(Task::BugFix, repo.url(), "the greeting lacks its exclamation mark")
    };
    let _worker = team.worker();
    let job = team.api.submit(&job).await.unwrap();
    let (row, events) = team.finished(job).await;
    (row, events, team, model)
}

fn set_up(events: &[EventRecord]) -> Vec<(Option<i32>, String)> {
    let one = |record: &EventRecord| match &record.event {
        Event::SetUp { exit_code, output, .. } => Some((*exit_code, output.clone())),
        _ => None,
    };
    events.iter().filter_map(one).collect()
}

#[tokio::test]
async fn what_it_fetches_reaches_the_agent_and_the_verification_and_not_the_patch() {
    let (port, served) = outside();
    let (row, events, team, _model) = ended(&format!("127.0.0.1:{port}"), &fetch(port)).await;
    assert_eq!((row.state, row.outcome), (JobState::Succeeded, Some(Outcome::Verified)), "{}", team.log());
    assert_eq!(served.load(Ordering::Relaxed), 2, "once for each checkout: nothing is shared");
    assert_eq!(set_up(&events), [(Some(0), String::new())]);
    let told = |record: &EventRecord| match &record.event {
        Event::ToolRan { output, .. } => output.contains("greeting() { echo Hello; }"),
        _ => false,
    };
    assert!(events.iter().any(told), "{events:#?}");
    let diff = events.iter().find_map(|record| match &record.event {
        Event::Delivered { diff, .. } => diff.clone(),
        _ => None,
    });
    let diff = diff.unwrap();
    assert!(diff.contains("+echo \"$(greeting), $1!\"") && !diff.contains("b/deps"), "{diff}");
}

#[tokio::test]
async fn a_host_that_is_not_public_is_refused_and_named_before_a_model_is_asked() {
    let (port, served) = outside();
    let (row, events, _team, model) =
        ended("*", &format!("{} --retry 0; exit $(($? == 0 ? 0 : 9))", fetch(port))).await;
    assert_eq!((row.state, row.exit_reason), (JobState::Failed, Some(ExitReason::SandboxError)));
    let error = row.error.unwrap();
    let expected = format!("the set-up command failed with exit code 9 (it was refused 127.0.0.1:{port}: ");
    assert!(error.starts_with(&expected), "{error}");
    assert!(set_up(&events).iter().all(|(code, output)| *code == Some(9) && output.contains("SETUP_HOSTS")));
    assert_eq!((served.load(Ordering::Relaxed), model.keys().len()), (0, 0));
}

#[tokio::test]
async fn a_set_up_that_changes_the_patch_is_refused_with_the_files() {
    let (row, _, _team, model) = ended("", "echo x >> greet.sh; echo y > lock").await;
    assert_eq!((row.state, row.exit_reason), (JobState::Failed, Some(ExitReason::SandboxError)));
    let error = row.error.unwrap();
    assert!(error.contains("npm ci") && error.ends_with("greet.sh, lock"), "{error}");
    assert_eq!(model.keys().len(), 0);
}

/// The model rewrites the script that the set-up runs: neither the verification nor a later attempt lets that out.
#[tokio::test]
async fn what_a_model_wrote_never_has_a_network() {
    let (port, served) = outside();
    let leak = format!("curl -s --noproxy '' http://127.0.0.1:{port}/leak");
    let model = ModelServer::start(move |turn, _| {
        Say::Content(match turn {
            0 => vec![tool("edit", json!({"path": "fetch.sh", "old": "true", "new": leak.as_str()}))],
            _ => vec![tool("finish", json!({"summary": "fetches more"}))],
        })
    })
    .await;
    let mut team = Team::new(&model.url).await;
    team.set("SETUP_HOSTS", format!("127.0.0.1:{port}"));
    let repo = Repo::with(&[("fetch.sh", "true\n")]);
    let job = NewJob {
        setup_command: Some("sh fetch.sh".to_owned()),
        test_command: Some("test -s fetch.sh".to_owned()),
        ..NewJob::new(Task::BugFix, repo.url(), "fetch more")
    };
    let _worker = team.worker();
    let job = team.api.submit(&job).await.unwrap();
    let (row, _) = team.finished(job).await;
    assert_eq!(row.outcome, Some(Outcome::Verified), "{}", team.log());
    assert_eq!(served.load(Ordering::Relaxed), 0);
}

/// A test that rewrites a file of the repository leaves it to the commands, whoever put it back.
#[tokio::test]
async fn what_the_first_test_run_changed_can_be_changed_by_commands() {
    let model = ModelServer::start(|turn, _| {
        Say::Content(match turn {
            0 => vec![tool("bash", json!({"command": "echo mine > log.txt && echo fixed > state.txt"}))],
            _ => vec![tool("finish", json!({"summary": "fixed"}))],
        })
    })
    .await;
    let team = Team::new(&model.url).await;
    let repo = Repo::with(&[("log.txt", "0\n"), ("state.txt", "broken\n")]);
    let job = NewJob {
        test_command: Some("date +%N > log.txt; grep -q fixed state.txt".to_owned()),
        ..NewJob::new(Task::BugFix, repo.url(), "mend the state")
    };
    let _worker = team.worker();
    let job = team.api.submit(&job).await.unwrap();
    let (row, events) = team.finished(job).await;
    assert_eq!(row.outcome, Some(Outcome::Verified), "{events:#?}");
}
