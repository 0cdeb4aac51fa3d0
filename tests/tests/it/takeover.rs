//! Models of every protocol do a job, and one takes over from another.

use std::collections::BTreeSet;

use domain::{Event, EventRecord, JobState, NewJob, Outcome, Protocol, Task};
use rehearsal::{Rehearsal, demo};
use system_tests::{Repo, Team};

/// A team whose workers have a key for each provider, all of which are the rehearsal.
async fn team(rehearsal: &Rehearsal) -> Team {
    let mut team = Team::new(&rehearsal.url()).await;
    team.set("OPENAI_BASE_URL", rehearsal.openai_url());
    team.set("GEMINI_BASE_URL", rehearsal.url());
    team.key("OPENAI_API_KEY", "sk-other-key");
    team.key("GOOGLE_API_KEY", "google-key");
    team
}

fn asking(repo: &Repo, model: &str) -> NewJob {
    NewJob {
        model: Some(model.to_owned()),
        test_command: Some(demo::TEST_COMMAND.to_owned()),
        ..NewJob::new(Task::BugFix, repo.url(), demo::PROMPT)
    }
}

/// (from, to, why) of each change of the model.
fn changes(events: &[EventRecord]) -> Vec<(String, String, String)> {
    let change = |record: &EventRecord| match &record.event {
        Event::ModelChanged { from, to, why } => Some((from.clone(), to.clone(), why.clone())),
        _ => None,
    };
    events.iter().filter_map(change).collect()
}

#[tokio::test]
async fn a_job_is_done_in_every_protocol_and_the_books_agree() {
    let model = Rehearsal::start(demo::script().unwrap()).await.unwrap();
    let team = team(&model).await;
    let repo = Repo::demo();
    let _worker = team.worker();
    let mut jobs = Vec::new();
    let mut protocols = Vec::new();
    // None of them has a date of retirement.
    for name in ["claude-haiku-4-5", "gpt-6.1-terra", "openai_chat:any", "gemini-3.5-flash-lite"] {
        let job = team.api.submit(&asking(&repo, name)).await.unwrap();
        let (row, events) = team.finished(job).await;
        assert_eq!(
            (row.state, row.outcome),
            (JobState::Succeeded, Some(Outcome::Verified)),
            "{}",
            team.log()
        );
        let spoken: BTreeSet<String> = events
            .iter()
            .filter_map(|record| match &record.event {
                Event::ModelReplied { protocol, .. } => Some(format!("{protocol:?}")),
                _ => None,
            })
            .collect();
        protocols.extend(spoken);
        jobs.push(job);
    }
    let all = [
        Protocol::AnthropicMessages,
        Protocol::OpenaiResponses,
        Protocol::OpenaiChat,
        Protocol::GeminiGenerateContent,
    ];
    assert_eq!(protocols, all.map(|protocol| format!("{protocol:?}")));
    team.assert_books(&jobs, model.stop().await).await;
    assert!(!team.log().contains("sk-other-key") && !team.log().contains("google-key"));
}

#[tokio::test]
async fn a_provider_that_is_away_is_left_for_the_next_one_and_nothing_is_paid_there() {
    let model = Rehearsal::start(demo::script().unwrap()).await.unwrap();
    let mut team = team(&model).await;
    // Nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    team.set("OPENAI_BASE_URL", format!("http://{free}/v1"));
    team.set("MODEL", "openai_chat:away, claude-haiku-4-5");
    let repo = Repo::demo();
    let _worker = team.worker();
    let job = team.submit_demo(&repo).await;
    let (row, events) = team.finished(job).await;
    assert_eq!((row.state, row.outcome), (JobState::Succeeded, Some(Outcome::Verified)), "{}", team.log());
    let changes = changes(&events);
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!((changes[0].0.as_str(), changes[0].1.as_str()), ("openai_chat:away", "claude-haiku-4-5"));
    assert!(changes[0].2.contains("refused"), "{changes:?}");
    let calls = team.api.calls(job).await.unwrap();
    let first = calls.iter().find(|call| call.call == 1).unwrap();
    assert_eq!((first.basis.as_str(), first.model.as_str()), ("unbilled", "openai_chat:away"));
    team.assert_books(&[job], model.stop().await).await;
}

#[tokio::test]
async fn a_model_that_is_retired_is_replaced_and_the_job_says_so() {
    let model = Rehearsal::start(demo::script().unwrap()).await.unwrap();
    let team = team(&model).await;
    let repo = Repo::demo();
    let _worker = team.worker();
    let job = team.api.submit(&asking(&repo, "gemini-3-pro-preview")).await.unwrap();
    let (row, events) = team.finished(job).await;
    assert_eq!(row.state, JobState::Succeeded, "{}", team.log());
    let changes = changes(&events);
    assert_eq!(changes.len(), 1, "{changes:?}");
    let (from, to, why) = &changes[0];
    assert_eq!((from.as_str(), to.as_str()), ("gemini-3-pro-preview", "gemini-3.1-pro-preview"));
    assert!(why.contains("answers no more since 2026-03-09"), "{why}");
}

#[tokio::test]
async fn a_model_without_a_key_is_refused_with_what_to_do() {
    let model = Rehearsal::start(demo::script().unwrap()).await.unwrap();
    let team = Team::new(&model.url()).await;
    let repo = Repo::demo();
    let _worker = team.worker();
    let job = team.api.submit(&asking(&repo, "gpt-6.1-terra")).await.unwrap();
    let (row, _) = team.finished(job).await;
    let error = row.error.unwrap();
    assert_eq!(row.state, JobState::Failed);
    assert!(error.contains("the worker has no OPENAI_API_KEY; put {\"OPENAI_API_KEY\""), "{error}");
}
