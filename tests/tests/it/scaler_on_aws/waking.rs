//! The fleet wakes from zero in one call, and goes back to zero.

use domain::{Mode, Outcome};
use nix::sys::signal::Signal;
use rehearsal::Rehearsal;
use system_tests::Repo;

use super::cloud::{Cloud, GENIUS, MECHANIC, took};

#[tokio::test]
async fn a_job_wakes_a_sleeping_fleet_in_one_call_and_each_phase_is_written_down() {
    let model = Rehearsal::start(rehearsal::demo::script().unwrap()).await.unwrap();
    let cloud = Cloud::working(&model.url()).await;
    let mut scaler = cloud.scaler("scaler", &[]);
    cloud.called(0, GENIUS, 0).await;
    cloud.asleep().await;
    let repo = Repo::demo();
    let job = cloud.team.submit_demo(&repo).await;
    let row = cloud.team.finished(job).await.0;
    assert_eq!(row.outcome, Some(Outcome::Verified), "{}", cloud.team.log());

    let calls = cloud.aws.calls_until(0, |calls| took(calls, MECHANIC).len() == 3).await;
    assert_eq!(took(&calls, MECHANIC), [0, 1, 0], "the first one is the scaler's own start");
    assert_eq!(took(&calls, GENIUS), [0]);
    let fleet = cloud.aws.fleet_until(|fleet| fleet.count(MECHANIC, "stopped") == 1).await;
    let task = &fleet.tasks[0];
    let protections: Vec<bool> = task.protections.iter().map(|change| change.enabled).collect();
    assert_eq!((fleet.tasks.len(), protections), (1, vec![true, false]));
    assert_eq!((task.exit_code, task.killed), (Some(0), false), "{}", cloud.team.log());
    assert_eq!(task.protected_when_signalled, Some(false));

    cloud.until("(select count(called_at) = 2 from codeteam.scale_decisions)").await;
    let decisions = cloud.decisions().await;
    let wake = &decisions[0];
    assert_eq!((wake.service.as_str(), wake.previous, wake.target), (MECHANIC, 0, 1));
    assert_eq!((wake.reason.as_str(), wake.job), ("1 worker for 1 ready and 0 running", Some(job)));
    let phases = [wake.queued_at, Some(wake.at), wake.called_at, wake.first_heartbeat_at, wake.claimed_at];
    assert!(phases.iter().all(Option::is_some) && phases.is_sorted(), "{wake:?}");
    assert_eq!((decisions[1].target, decisions.len()), (0, 2));
    assert_eq!(decisions[1].reason, "nothing is queued or running: the fleet sleeps");

    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());
    cloud.aws.stop().await;
}

#[tokio::test]
async fn a_burst_wakes_all_that_the_limits_allow_in_one_call_for_each_fleet() {
    let cloud = Cloud::counting().await;
    let mut scaler = cloud.scaler("scaler", &[]);
    cloud.called(0, GENIUS, 0).await;
    cloud.asleep().await;
    let mut jobs = cloud.queue(Mode::Mechanic, 40).await;
    jobs.extend(cloud.queue(Mode::Genius, 5).await);
    let fleet = cloud.aws.fleet_until(|fleet| fleet.desired[MECHANIC] + fleet.desired[GENIUS] == 13).await;
    assert_eq!((fleet.desired[MECHANIC], fleet.desired[GENIUS]), (10, 3));
    for job in jobs {
        cloud.team.api.cancel(job).await.unwrap();
    }
    cloud.aws.fleet_until(|fleet| fleet.desired.values().all(|&desired| desired == 0)).await;
    let calls = cloud.aws.calls(0).await;
    assert_eq!((took(&calls, MECHANIC), took(&calls, GENIUS)), (vec![0, 10, 0], vec![0, 3, 0]));
    cloud.until("(select count(called_at) = 4 from codeteam.scale_decisions)").await;
    let decisions = cloud.decisions().await;
    let full = decisions.iter().find(|decision| decision.target == 10).unwrap();
    assert_eq!(full.reason, "10 workers for 40 ready and 0 running; the limit is 10");
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());
    cloud.aws.stop().await;
}
