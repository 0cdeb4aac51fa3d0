//! What each way of scaling does with a job or two.

use super::*;

/// Three seconds of a call, ten minutes of work.
fn slow_call() -> Setup {
    Setup { hearing: Duration::from_millis(50), effect: s(3), ..setup() }
}

#[test]
fn a_sleeping_fleet_of_ours_is_called_as_soon_as_the_ring_is_heard() {
    let report = run(&jobs(&[(1_000, 600)]), &slow_call(), Policy::Doorbell);
    assert_eq!(report.waits.quantile(1.0), Duration::from_millis(33_050));
    assert_eq!((report.changes, report.most), (2, 1));
}

#[test]
fn beside_a_kept_worker_ours_sleeps_too_and_hears_a_ring_without_taking_its_breath() {
    let setup = Setup { limits: Limits { min: 1, ..Limits::up_to(10) }, ..slow_call() };
    let report = run(&jobs(&[(1_000, 600), (1_000, 600)]), &setup, Policy::Doorbell);
    assert_eq!(report.waits.quantile(0.5), Duration::ZERO);
    assert_eq!(report.waits.quantile(1.0), Duration::from_millis(33_050));
}

#[test]
fn ours_goes_to_sleep_after_the_cool_down() {
    let report = run(&jobs(&[(0, 100)]), &setup(), Policy::Doorbell);
    // 30 s to start, 100 s of work, and 15 s of cool-down.
    assert_eq!(report.alive, s(145));
    assert_eq!(report.span, s(145));
}

#[test]
fn a_job_that_comes_in_the_cool_down_finds_a_worker() {
    let report = run(&jobs(&[(0, 100), (140, 10)]), &setup(), Policy::Doorbell);
    assert_eq!(report.waits.quantile(0.5), Duration::ZERO);
    assert_eq!(report.changes, 2);
}

#[test]
fn the_floor_while_there_is_work_is_kept_by_ours() {
    let limits = Limits { floor_while_busy: 2, ..Limits::up_to(10) };
    let report = run(&jobs(&[(0, 100)]), &Setup { limits, ..setup() }, Policy::Doorbell);
    assert_eq!(report.most, 2);
}

#[test]
fn keda_wakes_at_its_next_poll_and_sleeps_300_s_after_the_last_one_that_saw_work() {
    let report = run(&jobs(&[(1_001, 600)]), &slow_call(), Policy::Keda);
    // The poll at 1,020 s, the call, the start.
    assert_eq!(report.waits.quantile(1.0), s(19 + 3 + 30));
    // Work ends at 1,653 s, the poll at 1,650 s saw it; at 1,950 s it is told to stop.
    assert_eq!(report.span, s(1_953));
}

#[test]
fn keda_adds_four_pods_at_a_time_or_doubles() {
    let burst: Vec<(u64, u64)> = (0..40).map(|_| (1, 10_000)).collect();
    let limits = Limits::up_to(40);
    let report = run(&jobs(&burst), &Setup { limits, ..setup() }, Policy::Keda);
    // One at 30 s, five at 45 s, ten, twenty and forty after that; all 30 s later at work.
    let waited = |share| report.waits.quantile(share).as_secs() + 1;
    assert_eq!((waited(0.025), waited(0.125), waited(0.25)), (60, 75, 90));
    assert_eq!((waited(0.5), waited(1.0)), (105, 120));
}

#[test]
fn keda_keeps_for_300_s_what_it_wished_for() {
    let report = run(&jobs(&[(0, 100), (0, 1_000)]), &setup(), Policy::Keda);
    // Two until 300 s after the last wish for two, at 120 s; then one until 300 s after the poll that saw work last.
    assert_eq!(report.most, 2);
    assert_eq!(report.alive, s(1_320) + s(420 - 15));
}

#[test]
fn target_tracking_wakes_after_three_minutes_and_sleeps_after_fifteen() {
    let report = run(&jobs(&[(1_001, 600)]), &slow_call(), Policy::TargetTracking);
    // Data points at 1,020, 1,080 and 1,140 s.
    assert_eq!(report.waits.quantile(1.0), s(139 + 3 + 30));
    // Work ends at 1,773 s; fifteen points without any from 1,800 s on, the last at 2,640 s.
    assert_eq!(report.span, s(2_643));
}

#[test]
fn a_worker_that_was_wished_away_at_work_goes_when_its_job_ends() {
    // A lower target is decided before the second job begins, and takes effect after.
    let setup = Setup { effect: s(20), ..setup() };
    let report = run(&jobs(&[(0, 10), (0, 10), (85, 100)]), &setup, Policy::Doorbell);
    assert_eq!(report.waits.quantile(0.3), Duration::ZERO);
    assert_eq!(report.span, s(220));
}

#[test]
fn a_policy_that_nobody_knows_is_answered_with_the_known_ones() {
    let error = "cron".parse::<Policy>().unwrap_err().to_string();
    assert_eq!(error, "there is no policy \"cron\": use one of doorbell, keda, target-tracking");
    for policy in Policy::ALL {
        assert_eq!(policy.name().parse(), Ok(policy));
    }
}
