//! Settings that cannot work end the scaler with one sentence; what only AWS can tell leaves it alive, and its sentence where people look.

use domain::Mode;
use nix::sys::signal::Signal;

use super::cloud::{Cloud, MECHANIC};

#[tokio::test]
async fn settings_that_cannot_work_end_it_with_one_sentence() {
    let cloud = Cloud::counting().await;
    let cases: [(&[(&str, &str)], &str); 4] = [
        (
            &[("MECHANIC_MIN", "5"), ("MECHANIC_MAX", "3")],
            "at least 5 and at most 3 workers cannot both hold: give a minimum",
        ),
        (&[("AWS_REGION", "")], "it is not said in which AWS region to ask: set AWS_REGION"),
        (
            &[("ECS_CLUSTER", "arn:aws:ecs:us-east-1:1:cluster/x")],
            "is no name of an ECS cluster: give the bare name",
        ),
        (&[("GENIUS_SERVICE", "")], "is no name of an ECS service: give the bare name"),
    ];
    for (n, (settings, sentence)) in cases.into_iter().enumerate() {
        let name = format!("scaler-{n}");
        let mut scaler = cloud.scaler(&name, settings);
        assert_eq!(scaler.wait().await.code(), Some(1), "{}", cloud.log(&name));
        let log = cloud.log(&name);
        let errors: Vec<&str> = log.lines().filter(|line| line.contains("\"ERROR\"")).collect();
        assert_eq!(errors.len(), 1, "{log}");
        assert!(errors[0].contains(sentence), "{log}");
        assert!(!log.contains("panicked"), "{log}");
    }
    assert!(cloud.aws.calls(0).await.is_empty(), "nothing was asked of AWS");
    cloud.aws.stop().await;
}

#[tokio::test]
async fn what_aws_does_not_take_is_told_with_what_to_do_and_work_that_it_takes_goes_on() {
    let cloud = Cloud::counting().await;
    type Case<'a> = (Vec<(&'static str, &'static str)>, &'a [&'a str]);
    let nobody = [("AWS_CONFIG_FILE", "/nonexistent"), ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")];
    let without = |names: &[&'static str]| -> Vec<(&'static str, &'static str)> {
        nobody.into_iter().chain(names.iter().map(|&name| (name, ""))).collect()
    };
    let cases: [Case<'_>; 3] = [
        (
            without(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]),
            &[
                "there are no AWS credentials",
                "give the task a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID",
            ],
        ),
        (
            vec![("GENIUS_SERVICE", "nobody")],
            &[
                "service/ai-coding-team/nobody does not exist in region us-east-1",
                "create it, or correct the names",
            ],
        ),
        (
            vec![("AWS_ENDPOINT_URL", "http://127.0.0.1:9")],
            &[
                "AWS cannot be reached in region us-east-1",
                "check AWS_REGION, AWS_ENDPOINT_URL and the network",
            ],
        ),
    ];
    for (n, (settings, parts)) in cases.into_iter().enumerate() {
        let name = format!("scaler-{n}");
        let mut scaler = cloud.scaler(&name, &settings);
        cloud.until("(select trouble is not null from codeteam.leader)").await;
        let trouble = cloud.trouble().await.unwrap();
        for part in parts {
            assert!(trouble.contains(part), "{part:?} is missing: {trouble}");
        }
        cloud.logged(&name, |log| log.contains("capacity cannot be set")).await;
        let before = cloud.calls_so_far().await;
        cloud.queue(Mode::Mechanic, 1).await;
        if n == 1 {
            // One fleet that is missing does not hold the other up.
            cloud.called(before, MECHANIC, 2).await;
        }
        scaler.signal(Signal::SIGTERM);
        assert!(scaler.wait().await.success(), "{}", cloud.log(&name));
        assert_eq!(cloud.trouble().await, None, "it went with the scaler");
    }
    cloud.aws.stop().await;
}
