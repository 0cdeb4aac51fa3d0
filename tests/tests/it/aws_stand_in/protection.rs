//! A busy task is never chosen by a scale-in, and the agent says no in the ways in which the real one does.

use std::time::Duration;

use serde_json::{Value, json};
use system_tests::aws::{AwsStandIn, Options};

use super::{MECHANIC, OBEDIENT, register, shell};

#[tokio::test]
async fn a_scale_in_passes_over_protected_tasks_until_they_are_free() {
    let aws = AwsStandIn::start(shell(OBEDIENT)).await;
    register(&aws, MECHANIC, 3, 3).await;
    let fleet = aws.fleet_until(|fleet| fleet.count(MECHANIC, "running") == 3).await;
    let ids: Vec<&str> = fleet.tasks.iter().map(|task| task.id.as_str()).collect();
    for id in &ids[..2] {
        let (status, said) =
            aws.protection(id, &json!({"ProtectionEnabled": true, "ExpiresInMinutes": 2880})).await;
        assert_eq!((status, &said["protection"]["ProtectionEnabled"]), (200, &json!(true)));
        let arn = format!("arn:aws:ecs:us-east-1:123456789012:task/ai-coding-team/{id}");
        assert_eq!(said["protection"]["TaskArn"], arn);
    }

    register(&aws, MECHANIC, 0, 0).await;
    let fleet = aws.fleet_until(|fleet| fleet.count(MECHANIC, "stopped") == 1).await;
    assert_eq!(fleet.tasks[2].state, "stopped");
    assert_eq!(fleet.count(MECHANIC, "running"), 2);

    let (_, said) = aws.protection(ids[0], &json!({"ProtectionEnabled": false})).await;
    assert_eq!(said["protection"]["ExpirationDate"], Value::Null);
    let fleet = aws.fleet_until(|fleet| fleet.count(MECHANIC, "stopped") == 2).await;
    assert_eq!((fleet.tasks[0].state.as_str(), fleet.tasks[1].state.as_str()), ("stopped", "running"));
    assert!(fleet.tasks.iter().all(|task| task.protected_when_signalled != Some(true)));
    let (status, said) = aws.protection(ids[0], &json!({"ProtectionEnabled": true})).await;
    assert_eq!((status, &said["failure"]["Reason"]), (200, &json!("TASK_NOT_VALID")));
    aws.stop().await;
}

#[tokio::test]
async fn a_protection_ends_when_its_time_is_over() {
    let aws = AwsStandIn::start(Options { minute: Duration::from_secs(1), ..shell(OBEDIENT) }).await;
    aws.set_capacity(MECHANIC, 1).await;
    let fleet = aws.fleet_until(|fleet| fleet.count(MECHANIC, "running") == 1).await;
    aws.protection(&fleet.tasks[0].id, &json!({"ProtectionEnabled": true, "ExpiresInMinutes": 1})).await;
    aws.set_capacity(MECHANIC, 0).await;
    let task = aws.fleet_until(|fleet| fleet.count(MECHANIC, "stopped") == 1).await.tasks.remove(0);
    assert_eq!((task.protections.len(), task.protections[0].enabled), (1, true), "nobody took it back");
    assert_eq!(task.protected_when_signalled, Some(false));
    aws.stop().await;
}

#[tokio::test]
async fn what_the_agent_cannot_do_it_says() {
    let aws = AwsStandIn::start(shell(OBEDIENT)).await;
    aws.set_capacity(MECHANIC, 1).await;
    let id = aws.fleet_until(|fleet| fleet.count(MECHANIC, "running") == 1).await.tasks.remove(0).id;
    let protect = json!({"ProtectionEnabled": true, "ExpiresInMinutes": 1});

    let (status, said) = aws.protection("nobody", &protect).await;
    assert_eq!((status, &said["error"]["Code"]), (404, &json!("ResourceNotFoundException")));
    for wrong in [
        json!({"ProtectionEnabled": true, "ExpiresInMinutes": 0}),
        json!({"ProtectionEnabled": true, "ExpiresInMinutes": 2881}),
        json!({"ExpiresInMinutes": 1}),
        json!({"ProtectionEnabled": "yes"}),
        json!({"ProtectionEnabled": true, "Minutes": 1}),
    ] {
        let (status, said) = aws.protection(&id, &wrong).await;
        assert_eq!((status, &said["error"]["Code"]), (400, &json!("InvalidParameterException")), "{wrong}");
    }

    aws.agent_fault("refused", Some(1)).await;
    let (status, said) = aws.protection(&id, &protect).await;
    assert_eq!((status, &said["failure"]["Reason"]), (200, &json!("DEPLOYMENT_BLOCKED")));
    aws.agent_fault("error", Some(1)).await;
    let (status, said) = aws.protection(&id, &protect).await;
    assert_eq!((status, &said["error"]["Code"]), (400, &json!("AccessDeniedException")));

    let (_, said) = aws.protection(&id, &Value::Null).await;
    assert_eq!(said["protection"]["ProtectionEnabled"], false, "nothing of that protected it");
    aws.stop().await;
}
