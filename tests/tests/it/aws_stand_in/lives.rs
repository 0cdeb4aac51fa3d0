//! Tasks are processes: they start, are told to stop, are killed, are replaced, and never outlive the stand-in.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use system_tests::aws::{AwsStandIn, Options};

use super::{GENIUS, MECHANIC, OBEDIENT, is_gone, register, shell};

#[tokio::test]
async fn a_task_knows_its_mode_and_its_agent() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let script = format!("echo $MODE $FLAVOUR $AWS_ENDPOINT_URL $ECS_AGENT_URI; {OBEDIENT}");
    let env = vec![("FLAVOUR".to_owned(), "plain".to_owned())];
    let aws = AwsStandIn::start(Options { log: Some(log.clone()), worker_env: env, ..shell(&script) }).await;
    aws.set_capacity(MECHANIC, 1).await;
    let fleet = aws.fleet_until(|fleet| fleet.count(MECHANIC, "running") == 1).await;
    let mechanic = &fleet.tasks[0];
    aws.set_capacity(MECHANIC, 0).await;
    aws.set_capacity(GENIUS, 1).await;
    let fleet = aws.fleet_until(|fleet| fleet.count(GENIUS, "running") == 1).await;
    let genius = fleet.tasks.iter().find(|task| task.service == GENIUS).unwrap();

    let url = aws.url();
    let expected = [("mechanic", mechanic), ("genius", genius)]
        .map(|(mode, task)| format!("{mode} plain {url} {url}/agent/{}\n", task.id));
    let written = async {
        while std::fs::read_to_string(&log).unwrap() != expected.concat() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(system_tests::PATIENCE, written).await.expect("both tasks to say so");
    aws.stop().await;
}

#[tokio::test]
async fn a_task_that_obeys_is_not_killed_and_one_that_does_not_is() {
    let script =
        "if [ $MODE = genius ]; then trap '' TERM; while :; do sleep 1000; done; fi; ".to_owned() + OBEDIENT;
    let aws = AwsStandIn::start(Options { stop_timeout: Duration::from_millis(300), ..shell(&script) }).await;
    for service in [MECHANIC, GENIUS] {
        aws.set_capacity(service, 1).await;
        register(&aws, service, 1, 1).await;
    }
    aws.fleet_until(|fleet| fleet.tasks.iter().all(|task| task.state == "running") && fleet.tasks.len() == 2)
        .await;
    // The shells must have set their traps.
    let trapped = async {
        for task in aws.tasks().await {
            let path = format!("/proc/{}/task/{}/children", task.pid.unwrap(), task.pid.unwrap());
            while std::fs::read_to_string(&path).unwrap_or_default().is_empty() {
                tokio::task::yield_now().await;
            }
        }
    };
    tokio::time::timeout(system_tests::PATIENCE, trapped).await.expect("both tasks to be at work");
    for service in [MECHANIC, GENIUS] {
        register(&aws, service, 0, 0).await;
    }
    let fleet = aws.fleet_until(|fleet| fleet.tasks.iter().all(|task| task.state == "stopped")).await;
    for task in &fleet.tasks {
        let ended = if task.service == GENIUS { (Some(-9), true) } else { (Some(0), false) };
        assert_eq!((task.exit_code, task.killed), ended, "{task:?}");
        assert_eq!(task.why_stopped.as_deref(), Some("scaled in"));
    }
    aws.stop().await;
}

#[tokio::test]
async fn a_task_that_ends_by_itself_is_replaced() {
    let aws = AwsStandIn::start(shell("exit 7")).await;
    aws.set_capacity(MECHANIC, 1).await;
    let fleet = aws.fleet_until(|fleet| fleet.count(MECHANIC, "stopped") >= 3).await;
    assert_eq!(fleet.tasks[0].exit_code, Some(7));
    assert_eq!(fleet.tasks[0].why_stopped.as_deref(), Some("ended by itself, exit code 7"));
    aws.stop().await;
}

#[tokio::test]
async fn nothing_is_left_when_it_stops() {
    let aws = AwsStandIn::start(shell(OBEDIENT)).await;
    aws.set_capacity(MECHANIC, 3).await;
    let fleet = aws.fleet_until(|fleet| fleet.count(MECHANIC, "running") == 3).await;
    aws.stop().await;
    assert!(fleet.tasks.iter().all(is_gone));
}

#[tokio::test]
async fn nothing_is_left_when_it_is_killed() {
    let aws = AwsStandIn::start(shell("exec sleep 1000")).await;
    aws.set_capacity(MECHANIC, 2).await;
    let fleet = aws.fleet_until(|fleet| fleet.count(MECHANIC, "running") == 2).await;
    kill(Pid::from_raw(aws.pid() as i32), Signal::SIGKILL).unwrap();
    let gone = async {
        while !fleet.tasks.iter().all(is_gone) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(system_tests::PATIENCE, gone).await.expect("the tasks to be gone");
}
