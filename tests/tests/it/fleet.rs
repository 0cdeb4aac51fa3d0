//! The fleet wakes from zero, works, and goes back to zero.

use domain::Outcome;
use nix::sys::signal::Signal;
use rehearsal::Rehearsal;
use system_tests::{PATIENCE, Repo, Team};
use tokio::time::timeout;

/// The scaler's targets so far, oldest first.
async fn targets(team: &Team) -> Vec<i32> {
    team.api.decisions(100).await.unwrap().iter().rev().map(|decision| decision.target).collect()
}

#[tokio::test]
async fn the_fleet_goes_from_zero_to_work_and_back_to_zero_and_says_why() {
    let model = Rehearsal::start(rehearsal::demo::script().unwrap()).await.unwrap();
    let team = Team::new(&model.url()).await;
    let repo = Repo::demo();
    let mut scaler = team.scaler();
    let jobs = [team.submit_demo(&repo).await, team.submit_demo(&repo).await];
    for job in jobs {
        assert_eq!(team.finished(job).await.0.outcome, Some(Outcome::Verified), "{}", team.log());
    }
    let asleep = async {
        while targets(&team).await.last() != Some(&0) || !team.api.workers().await.unwrap().is_empty() {}
    };
    timeout(PATIENCE, asleep).await.unwrap_or_else(|_| panic!("the fleet stays up: {}", team.log()));
    let decisions = team.api.decisions(100).await.unwrap();
    assert_eq!(decisions[0].reason, "nothing is queued or running: the fleet sleeps");
    assert!(decisions.iter().any(|decision| decision.previous == 0 && decision.target > 0));

    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());
}

#[tokio::test]
async fn a_scaler_that_is_told_to_stop_leaves_no_worker_and_no_job_behind() {
    let model = Rehearsal::start_paced(rehearsal::demo::script().unwrap(), std::time::Duration::from_secs(2))
        .await
        .unwrap();
    let team = Team::new(&model.url()).await;
    let repo = Repo::demo();
    let mut scaler = team.scaler();
    let job = team.submit_demo(&repo).await;
    team.events_until(job, |event| matches!(event, domain::Event::CheckedOut { .. })).await;
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());
    assert!(team.api.workers().await.unwrap().is_empty(), "{}", team.log());
    assert_eq!(team.api.job(job).await.unwrap().state, domain::JobState::Queued);
    assert_eq!(std::fs::read_dir(team.path("work")).unwrap().count(), 0, "no checkout stays behind");
}
