//! The stand-in for AWS behaves as AWS does where the rest of the tests rely on it.

mod cloudwatch;
mod faults;
mod lives;
mod protection;

use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::time::Duration;
use system_tests::aws::{AwsStandIn, Options, Task};

const MECHANIC: &str = "mechanic-worker";
const GENIUS: &str = "genius-worker";

/// A task that ends when it is told to, with a process of its own that does not.
const OBEDIENT: &str = "trap 'exit 0' TERM; sleep 1000 & wait";

/// With tasks that run this shell script, and start at once.
fn shell(script: &str) -> Options {
    Options {
        worker: ["/bin/sh", "-c", script].map(str::to_owned).into(),
        start: Duration::from_millis(20),
        back_off: Duration::from_millis(20),
        ..Options::default()
    }
}

async fn register(aws: &AwsStandIn, service: &str, min: i64, max: i64) -> (u16, Value) {
    let arguments = json!({
        "ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceId": format!("service/ai-coding-team/{service}"), "MinCapacity": min, "MaxCapacity": max,
    });
    aws.aws("application-autoscaling", "AnyScaleFrontendService.RegisterScalableTarget", &arguments).await
}

/// Whether nothing of a process is left but, at most, what its parent has not asked for yet.
fn is_gone(task: &Task) -> bool {
    let pid = task.pid.unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    kill(Pid::from_raw(pid), None).is_err() || stat.rsplit(')').next().unwrap().trim().starts_with('Z')
}

#[tokio::test]
async fn registering_a_target_sets_what_a_service_desires() {
    let aws = AwsStandIn::start(Options { start: Duration::ZERO, ..Options::default() }).await;
    let mut desired = Vec::new();
    for (min, max) in [(2, 2), (0, 5), (3, 5), (0, 1), (0, 0)] {
        assert_eq!(register(&aws, MECHANIC, min, max).await.0, 200);
        desired.push(aws.fleet().await.desired[MECHANIC]);
    }
    assert_eq!(desired, [2, 2, 3, 1, 0]);

    aws.set_capacity(GENIUS, 3).await;
    assert_eq!(register(&aws, GENIUS, 1, 1).await.0, 200);
    assert_eq!(aws.fleet().await.desired[GENIUS], 1, "the same limits again heal a drift");

    let calls = aws.calls(5).await;
    assert_eq!(calls.len(), 1);
    assert_eq!(
        (calls[0].operation.as_str(), calls[0].min, calls[0].max),
        ("RegisterScalableTarget", Some(1), Some(1))
    );
    assert_eq!(calls[0].resource.as_deref(), Some("service/ai-coding-team/genius-worker"));
    aws.stop().await;
}

#[tokio::test]
async fn a_target_that_cannot_be_is_refused_in_the_words_of_aws() {
    let aws = AwsStandIn::start(Options::default()).await;
    let (status, said) = register(&aws, MECHANIC, 3, 2).await;
    assert_eq!((status, said["__type"].as_str()), (400, Some("ValidationException")));
    assert_eq!(said["message"], "Maximum capacity cannot be less than minimum capacity");
    let (status, said) = register(&aws, "nobody", 1, 1).await;
    assert_eq!((status, said["__type"].as_str()), (400, Some("ValidationException")));
    assert_eq!(said["message"], "ECS service doesn't exist: service/ai-coding-team/nobody");
    assert_eq!(aws.fleet().await.desired[MECHANIC], 0);
    aws.stop().await;
}

#[tokio::test]
async fn ecs_and_the_scaling_activities_tell_what_became_of_it() {
    let aws = AwsStandIn::start(Options { start: Duration::ZERO, ..Options::default() }).await;
    register(&aws, MECHANIC, 2, 2).await;
    aws.fleet_until(|fleet| fleet.count(MECHANIC, "running") == 2).await;

    let which = json!({"cluster": "ai-coding-team", "services": [MECHANIC]});
    let (_, said) = aws.aws("ecs", "AmazonEC2ContainerServiceV20141113.DescribeServices", &which).await;
    let service = &said["services"][0];
    assert_eq!((&service["desiredCount"], &service["runningCount"]), (&json!(2), &json!(2)));

    let which = json!({"ServiceNamespace": "ecs"});
    let target = "AnyScaleFrontendService.DescribeScalingActivities";
    let (_, said) = aws.aws("application-autoscaling", target, &which).await;
    let activity = &said["ScalingActivities"][0];
    assert_eq!(activity["Description"], "Setting desired count to 2.");
    assert_eq!(activity["Cause"], "minimum capacity was set to 2");
    assert_eq!(activity["StatusCode"], "Successful");
    aws.stop().await;
}
