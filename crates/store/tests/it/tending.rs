//! What the scaler does for jobs that are stuck, workers that are lost, and wakes that are under way.

use std::time::Duration;

use domain::{Event, ExitReason, JobState, Mode};
use store::{DEFAULT_SLA, Verdict};

use crate::{claimed, hired, roles, worker};

#[tokio::test]
async fn a_job_over_its_sla_goes_back_to_the_queue_and_its_worker_hears_that_it_lost_it() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let by = hired(&roles.worker).await;
    let held = claimed(&roles.api, &roles.worker, by).await;
    assert_eq!(scaler.tend(DEFAULT_SLA).await.unwrap().requeued, 0);
    let admin = roles.database.client("postgres").await;
    admin.batch_execute("update codeteam.jobs set started_at = now() - interval '11 minutes'").await.unwrap();
    assert_eq!(scaler.observe().await.unwrap().mechanic.stuck, 1);
    let tended = scaler.tend(DEFAULT_SLA).await.unwrap();
    assert_eq!((tended.requeued, tended.dead), (1, 0));
    assert_eq!(roles.worker.heartbeat(by, &[held.claim]).await.unwrap(), [Verdict::Lost]);
    let events = roles.api.events(held.claim.job, 0, 100).await.unwrap();
    let stuck = events.iter().any(
        |record| matches!(record.event, Event::Stuck { worker, ran_ms } if worker == by && ran_ms >= 660_000),
    );
    assert!(stuck, "{events:?}");
    assert_eq!(scaler.tend(DEFAULT_SLA).await.unwrap().requeued, 0, "it is not stuck any more");
    let told = roles.api.fleet_events(1).await.unwrap();
    assert_eq!((told[0].kind.as_str(), told[0].subject), ("job_stuck", Some(held.claim.job.0)));
}

#[tokio::test]
async fn one_that_is_stuck_at_every_attempt_is_dead_with_its_reason() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let admin = roles.database.client("postgres").await;
    let job = roles.api.submit(&testkit::job()).await.unwrap();
    let most = roles.api.job(job).await.unwrap();
    assert_eq!(most.state, JobState::Queued);
    let mut tended = scaler.tend(DEFAULT_SLA).await.unwrap();
    while tended.dead == 0 {
        roles
            .worker
            .claim(hired(&roles.worker).await, Mode::Mechanic)
            .await
            .unwrap()
            .expect("it is queued again");
        admin
            .batch_execute("update codeteam.jobs set started_at = now() - interval '11 minutes'")
            .await
            .unwrap();
        tended = scaler.tend(DEFAULT_SLA).await.unwrap();
    }
    let dead = roles.api.job(job).await.unwrap();
    assert_eq!((dead.state, dead.exit_reason), (JobState::Dead, Some(ExitReason::TimeLimit)));
    assert!(dead.error.unwrap().contains("it was stuck"));
}

#[tokio::test]
async fn a_job_with_a_longer_time_limit_is_stuck_only_after_that() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    let admin = roles.database.client("postgres").await;
    let long = "update codeteam.jobs set time_limit_ms = 3600000, started_at = now() - interval '60 minutes'";
    admin.batch_execute(long).await.unwrap();
    assert_eq!(scaler.tend(DEFAULT_SLA).await.unwrap().requeued, 0);
    let over = "update codeteam.jobs set started_at = now() - interval '62 minutes'";
    admin.batch_execute(over).await.unwrap();
    assert_eq!(scaler.tend(DEFAULT_SLA).await.unwrap().requeued, 1);
}

#[tokio::test]
async fn a_worker_that_was_silent_for_two_minutes_is_lost_and_its_job_free() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let (idle, busy) = (hired(&roles.worker).await, hired(&roles.worker).await);
    let held = claimed(&roles.api, &roles.worker, busy).await;
    let admin = roles.database.client("postgres").await;
    // As if this database had been up for long enough that somebody could have been heard of.
    admin
        .batch_execute(
            "create or replace function codeteam.heard_at(w codeteam.workers) returns timestamptz language sql stable
             as 'select w.heartbeat_at'",
        )
        .await
        .unwrap();
    let silent = "update codeteam.workers set heartbeat_at = now() - interval '3 minutes',
                    lease_ms = 1, lease_expires_at = now() - interval '2 minutes'";
    admin.batch_execute(silent).await.unwrap();
    let seen = scaler.observe().await.unwrap().mechanic;
    assert_eq!((seen.workers, seen.lost), (2, 2));
    assert!(seen.unheard.unwrap() >= Duration::from_secs(180));
    assert_eq!(scaler.tend(DEFAULT_SLA).await.unwrap().lost, 1);
    assert_eq!(roles.api.job(held.claim.job).await.unwrap().state, JobState::Queued);
    let seen = scaler.observe().await.unwrap().mechanic;
    assert_eq!((seen.workers, seen.lost), (0, 0));
    let told = roles.api.fleet_events(10).await.unwrap();
    let lost: Vec<_> = told.iter().filter(|event| event.kind == "worker_lost").collect();
    assert_eq!(lost.len(), 2);
    assert!(lost.iter().any(|event| event.subject == Some(idle.0)));
    let counted = "select count(*) from codeteam.measurements where what = 'worker_lost'";
    assert_eq!(admin.query_one(counted, &[]).await.unwrap().get::<_, i64>(0), 2);
}

#[tokio::test]
async fn a_wake_is_written_down_phase_by_phase() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let job = roles.api.submit(&testkit::job()).await.unwrap();
    let ago = Duration::from_millis(3);
    let wake = scaler
        .record_decision(Mode::Mechanic, (0, 1), "1 worker for 1 ready", &serde_json::json!({}), ago)
        .await
        .unwrap();
    scaler
        .record_decision(Mode::Genius, (2, 1), "1 worker is enough", &serde_json::json!({}), ago)
        .await
        .unwrap();
    assert_eq!(scaler.tend(DEFAULT_SLA).await.unwrap().open_wakes, 1);
    scaler.decision_called(wake, Duration::ZERO).await.unwrap();
    let by = hired(&roles.worker).await;
    scaler.tend(DEFAULT_SLA).await.unwrap();
    roles.worker.claim(by, Mode::Mechanic).await.unwrap().unwrap();
    assert_eq!(scaler.tend(DEFAULT_SLA).await.unwrap().open_wakes, 0);

    let decisions = roles.api.decisions(2).await.unwrap();
    let (wake, other) = if decisions[0].service == "mechanic-worker" {
        (&decisions[0], &decisions[1])
    } else {
        (&decisions[1], &decisions[0])
    };
    assert_eq!(wake.job, Some(job));
    let phases = [
        wake.queued_at.unwrap(),
        wake.at,
        wake.called_at.unwrap(),
        wake.first_heartbeat_at.unwrap(),
        wake.claimed_at.unwrap(),
    ];
    assert!(phases.is_sorted(), "{phases:?}");
    assert!(other.queued_at.is_none() && other.claimed_at.is_none(), "nobody was woken by that");
}

#[tokio::test]
async fn a_job_without_a_time_limit_of_its_own_is_stuck_after_the_sla_however_short() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    let admin = roles.database.client("postgres").await;
    admin.batch_execute("update codeteam.jobs set started_at = now() - interval '2 seconds'").await.unwrap();
    assert_eq!(scaler.tend(Duration::from_secs(3_000)).await.unwrap().requeued, 0);
    assert_eq!(scaler.tend(Duration::from_secs(1)).await.unwrap().requeued, 1);
}

#[tokio::test]
async fn no_call_is_written_down_as_older_than_its_decision() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let (now, earlier) = (Duration::ZERO, Duration::from_secs(1));
    let decision = scaler
        .record_decision(Mode::Mechanic, (1, 0), "nothing to do", &serde_json::json!({}), now)
        .await
        .unwrap();
    scaler.decision_called(decision, earlier).await.unwrap();
    let decided = roles.api.decisions(1).await.unwrap().remove(0);
    assert_eq!(decided.called_at, Some(decided.at));
}

#[tokio::test]
async fn a_wake_for_a_job_that_became_due_has_that_job() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let mut later = testkit::job();
    later.queueing.run_at = Some(jiff::Timestamp::now() + Duration::from_secs(3_600));
    let job = roles.api.submit(&later).await.unwrap();
    let admin = roles.database.client("postgres").await;
    admin.batch_execute("update codeteam.jobs set run_at = now() - interval '1 s'").await.unwrap();
    scaler
        .record_decision(Mode::Mechanic, (0, 1), "r", &serde_json::json!({}), Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(roles.api.decisions(1).await.unwrap()[0].job, Some(job));
}

#[tokio::test]
async fn observing_names_who_is_busy_and_who_of_those_asked_about_hangs() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let by = hired(&roles.worker).await;
    claimed(&roles.api, &roles.worker, by).await;
    let seen = scaler.observe_among(&[by, worker()], DEFAULT_SLA).await.unwrap();
    assert!(seen.mechanic.busy_ids.contains(&by) && seen.mechanic.busy_ids.len() == 1);
    assert!(seen.mechanic.silent_ids.is_empty() && seen.genius.busy_ids.is_empty());
    assert!(seen.connections >= 3, "{}", seen.connections);
}

#[tokio::test]
async fn a_full_group_at_the_head_of_the_line_does_not_hide_the_others_for_long() {
    let roles = roles().await;
    let scaler = roles.database.store("codeteam_scaler").await;
    let grouped = (0..1_200).map(|_| {
        let mut job = testkit::job();
        job.queueing.group_key = Some("g".into());
        job
    });
    for batch in grouped.collect::<Vec<_>>().chunks(600) {
        roles.api.submit_all(batch).await.unwrap();
    }
    roles.api.submit_all(&vec![testkit::job(); 5]).await.unwrap();
    roles.worker.claim(hired(&roles.worker).await, Mode::Mechanic).await.unwrap().unwrap();
    assert_eq!(scaler.observe().await.unwrap().mechanic.ready, 0, "the group stands before them");
    for _ in 0..2 {
        scaler.tend(DEFAULT_SLA).await.unwrap();
    }
    let seen = scaler.observe().await.unwrap().mechanic;
    assert_eq!((seen.ready, seen.in_the_way), (5, 0));
}
