//! Task scale-in protection, asked of a real endpoint by a real worker. What it claimed, and when, the database tells.

use domain::{Event, JobId, JobState, Outcome};
use rehearsal::Rehearsal;
use serde_json::json;
use system_tests::{Agrees, CONTAINER, EcsAgent, ModelServer, Repo, Say, Team, tool};

async fn rehearsal() -> Rehearsal {
    Rehearsal::start(rehearsal::demo::script().unwrap()).await.unwrap()
}

/// A team whose workers are tasks of ECS.
async fn on_ecs(model: &str) -> (EcsAgent, Team) {
    let agent = EcsAgent::start().await;
    let mut team = Team::new(model).await;
    team.set("ECS_AGENT_URI", &agent.uri);
    (agent, team)
}

async fn is_unclaimed(team: &Team, job: JobId) -> bool {
    let events = team.api.events(job, 0, 100).await.unwrap();
    !events.iter().any(|record| matches!(record.event, Event::Claimed { .. }))
}

#[tokio::test]
async fn no_job_is_claimed_before_the_task_is_protected_and_none_is_held_when_it_no_longer_is() {
    let model = rehearsal().await;
    let (agent, team) = on_ecs(&model.url()).await;
    let repo = Repo::demo();
    agent.agrees_to_protect(Agrees::Later);
    agent.agrees_to_unprotect(Agrees::Later);
    let jobs = [team.submit_demo(&repo).await, team.submit_demo(&repo).await];
    let _worker = team.worker();
    agent.asked_until(|asked| asked == [true]).await;
    for job in jobs {
        assert!(is_unclaimed(&team, job).await, "{}", team.log());
    }
    agent.agrees_to_protect(Agrees::Yes);
    agent.asked_until(|asked| asked.contains(&false)).await;
    for job in jobs {
        let row = team.api.job(job).await.unwrap();
        assert_eq!(
            (row.state, row.outcome),
            (JobState::Succeeded, Some(Outcome::Verified)),
            "{}",
            team.log()
        );
    }
    assert_eq!(agent.asked(), [true, false], "once for all jobs in a row");
    assert_eq!(agent.minutes(), Some(15));
}

#[tokio::test]
async fn a_worker_that_is_refused_claims_nothing_says_why_once_and_works_when_it_is_agreed_to() {
    let model = rehearsal().await;
    let (agent, team) = on_ecs(&model.url()).await;
    let repo = Repo::demo();
    agent.agrees_to_protect(Agrees::No("AccessDeniedException"));
    let job = team.submit_demo(&repo).await;
    let _worker = team.worker();
    agent.asked_until(|asked| asked.len() >= 3).await;
    assert!(is_unclaimed(&team, job).await);
    assert!(!agent.asked().contains(&false), "what was refused need not be ended");
    let log = team.log();
    assert_eq!(log.matches("AccessDeniedException").count(), 1, "{log}");
    assert!(
        log.contains("no job is claimed without that") && log.contains("ecs:UpdateTaskProtection"),
        "{log}"
    );
    agent.agrees_to_protect(Agrees::Yes);
    assert_eq!(team.finished(job).await.0.outcome, Some(Outcome::Verified));
    assert!(team.log().contains("the ECS agent protects the task again"), "{}", team.log());
}

#[tokio::test]
async fn an_agent_that_hangs_is_given_up_and_asked_again_and_nothing_is_claimed_meanwhile() {
    let model = rehearsal().await;
    let (agent, team) = on_ecs(&model.url()).await;
    let repo = Repo::demo();
    agent.agrees_to_protect(Agrees::Later);
    let job = team.submit_demo(&repo).await;
    let _worker = team.worker();
    agent.asked_until(|asked| asked.iter().filter(|protect| **protect).count() >= 2).await;
    assert!(is_unclaimed(&team, job).await);
    assert!(team.log().contains("the ECS agent does not answer"), "{}", team.log());
    agent.agrees_to_protect(Agrees::Yes);
    assert_eq!(team.finished(job).await.0.outcome, Some(Outcome::Verified), "{}", team.log());
}

#[tokio::test]
async fn protection_is_renewed_while_a_long_job_runs() {
    let model = ModelServer::start(|turn, _| {
        Say::Content(vec![match turn {
            0 => tool("bash", json!({"command": "sleep 26"})), // more than a third of a minute
            _ => tool("finish", json!({"summary": "nothing to do"})),
        }])
    })
    .await;
    let (agent, mut team) = on_ecs(&model.url).await;
    team.set("PROTECTION_MINUTES", 1); // the least that ECS takes
    team.set("TIME_LIMIT_MS", 120_000);
    let repo = Repo::demo();
    let job = team.submit(&repo, "take your time", None).await;
    let _worker = team.worker();
    agent.asked_until(|asked| asked.starts_with(&[true, true])).await;
    assert_eq!(team.api.job(job).await.unwrap().state, JobState::Running, "{}", team.log());
    assert_eq!(agent.minutes(), Some(1));
    agent.asked_until(|asked| asked.last() == Some(&false)).await;
    assert_ne!(team.api.job(job).await.unwrap().state, JobState::Running, "{}", team.log());
}

#[tokio::test]
async fn an_idle_worker_is_not_protected_and_pays_one_call_when_it_is_woken() {
    let model = rehearsal().await;
    let (agent, team) = on_ecs(&model.url()).await;
    let repo = Repo::demo();
    let _worker = team.worker();
    agent.asked_until(|asked| asked == [true, false]).await;
    let job = team.submit_demo(&repo).await;
    assert_eq!(team.finished(job).await.0.outcome, Some(Outcome::Verified), "{}", team.log());
    agent.asked_until(|asked| asked == [true, false, true, false]).await;
    assert!(!agent.is_protected());
}

#[tokio::test]
async fn a_worker_whose_protection_cannot_be_ended_tries_again_in_its_sleep_and_goes_on_working() {
    let model = rehearsal().await;
    let (agent, team) = on_ecs(&model.url()).await;
    let repo = Repo::demo();
    agent.agrees_to_unprotect(Agrees::No("ServerException"));
    let _worker = team.worker();
    agent.asked_until(|asked| asked.starts_with(&[true, false, false])).await;
    let job = team.submit_demo(&repo).await;
    assert_eq!(team.finished(job).await.0.outcome, Some(Outcome::Verified), "{}", team.log());
    let again = agent.asked()[1..].contains(&true);
    assert!(again, "after it asked for the end of its protection it did not rely on it: {:?}", agent.asked());
    agent.agrees_to_unprotect(Agrees::Yes);
    agent.asked_until(|_| !agent.is_protected()).await;
    assert_eq!(team.log().matches("cannot be ended").count(), 1, "{}", team.log());
}

/// What the agent does for the worker, a command of a hostile model could undo.
#[tokio::test]
async fn a_command_neither_sees_nor_reaches_the_agent() {
    let (agent, mut team) = on_ecs("http://127.0.0.1:9").await;
    let server = agent.uri.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let (host, port) = server.split_once(':').unwrap();
    let command = format!(
        "env; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; \
         (exec 3<>/dev/tcp/{host}/{port}) 2>/dev/null && echo visited $((6 * 7)); echo all of it ran $((6 * 7))"
    );
    let model = ModelServer::start(move |turn, _| {
        Say::Content(vec![match turn {
            0 => tool("bash", json!({"command": command})),
            _ => tool("finish", json!({"summary": "done"})),
        }])
    })
    .await;
    team.set("ANTHROPIC_BASE_URL", &model.url);
    let repo = Repo::demo();
    let job = team.submit(&repo, "look around", None).await;
    let _worker = team.worker();
    team.finished(job).await;
    let seen = model.requests().last().unwrap().to_string();
    assert!(seen.contains("all of it ran 42"), "{seen}");
    for secret in [CONTAINER, "ECS_AGENT_URI=", "visited 42"] {
        assert!(!seen.contains(secret), "{secret} reached the model");
    }
    assert_eq!(tokio::net::TcpStream::connect(server).await.map(drop).ok(), Some(()), "the control");
}
