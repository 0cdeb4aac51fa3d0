//! The database or AWS is gone for a while: nothing is done on bad data, nothing ends, and all is right again afterwards.

use std::time::Duration;

use domain::Mode;
use nix::sys::signal::Signal;
use system_tests::aws::Fault;
use testkit::{Proxy, TestDatabase, Traffic};

use super::cloud::{Cloud, GENIUS, MECHANIC, REGISTER, took};

/// By hand, outages last as long as users have seen them: OUTAGE_S=120 for the database, OUTAGE_S=600 for AWS.
async fn lasts() {
    let seconds = std::env::var("OUTAGE_S").ok().and_then(|seconds| seconds.parse().ok());
    tokio::time::sleep(Duration::from_secs(seconds.unwrap_or(0))).await;
}

pub async fn without_a_database_nothing_is_changed_and_work_that_came_meanwhile_is_served() {
    let database = TestDatabase::new().await;
    let proxy = Proxy::start(&database.url("postgres")).await;
    let through_proxy = proxy.url("codeteam_scaler", database.name());
    let mut cloud = Cloud::on(database, "http://127.0.0.1:9", None).await;
    cloud.database = through_proxy;
    let mut scaler = cloud.scaler("scaler", &[]);
    cloud.called(0, GENIUS, 0).await;
    cloud.queue(Mode::Mechanic, 2).await;
    cloud.called(0, MECHANIC, 2).await;
    let mut expected = 2;
    for traffic in [Traffic::Refuse, Traffic::Swallow] {
        let troubled =
            |log: &str| log.matches("cannot be seen").count() + log.matches("cannot be asked").count();
        let (before, so_far) = (troubled(&cloud.log("scaler")), cloud.calls_so_far().await);
        proxy.set(traffic);
        cloud.queue(Mode::Mechanic, 3).await;
        cloud.logged("scaler", |log| troubled(log) >= before + 3).await;
        lasts().await;
        let meanwhile = cloud.aws.calls(so_far).await;
        assert!(meanwhile.is_empty(), "on what is not known nothing is done: {meanwhile:#?}");
        proxy.set(Traffic::Pass);
        expected += 3;
        cloud.called(so_far, MECHANIC, expected).await;
    }
    let leaders = cloud.fleet_events("leader_changed").await;
    assert_eq!(leaders.len(), 1, "it led all the while: {leaders:?}");
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success(), "{}", cloud.log("scaler"));
    cloud.aws.stop().await;
}

pub async fn whatever_aws_does_is_told_in_a_sentence_and_capacity_is_right_when_it_is_over() {
    let cloud = Cloud::counting().await;
    let mut scaler = cloud.scaler("scaler", &[]);
    cloud.called(0, MECHANIC, 0).await;
    let faults = [
        (Fault::Throttle, "AWS asks for fewer calls of application-autoscaling:RegisterScalableTarget"),
        (Fault::ConcurrentUpdate, "service/ai-coding-team/mechanic-worker is being changed by somebody else"),
        (Fault::Error500, "AWS failed to carry out application-autoscaling:RegisterScalableTarget"),
        (Fault::AccessDenied, "allow that action in this program's role"),
        (Fault::Malformed, "does not speak as AWS does: check AWS_ENDPOINT_URL"),
        (Fault::Hang, "AWS did not answer application-autoscaling:RegisterScalableTarget in time"),
    ];
    let mut jobs = 0;
    for (fault, sentence) in faults {
        let before = cloud.calls_so_far().await;
        cloud.aws.fault(REGISTER, fault, None).await;
        cloud.queue(Mode::Mechanic, 1).await;
        jobs += 1;
        cloud.until("(select trouble is not null from codeteam.leader)").await;
        let trouble = cloud.trouble().await.unwrap();
        assert!(trouble.contains(sentence), "{trouble}");
        assert!(cloud.log("scaler").contains(sentence), "{}", cloud.log("scaler"));
        if matches!(fault, Fault::Error500) {
            lasts().await;
        }
        let desired = cloud.aws.fleet().await.desired[MECHANIC];
        assert_eq!(desired, jobs - 1, "it stays as it was");
        cloud.aws.clear_faults().await;
        cloud.called(before, MECHANIC, i64::from(jobs)).await;
        cloud.until("(select trouble is null from codeteam.leader)").await;
    }
    assert_eq!(took(&cloud.aws.calls(0).await, MECHANIC), [0, 1, 2, 3, 4, 5, 6]);
    cloud.until("(select count(called_at) = 6 from codeteam.scale_decisions)").await;
    let told = (cloud.fleet_events("trouble").await.len(), cloud.fleet_events("recovered").await.len());
    assert!(told.0 >= faults.len() && told.1 == faults.len(), "{told:?}");
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success(), "{}", cloud.log("scaler"));
    cloud.aws.stop().await;
}
