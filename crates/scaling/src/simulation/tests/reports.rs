//! What goes in and what comes out: traces, spreads, quantiles, prices, pictures.

use super::*;

#[test]
fn a_workload_has_the_rate_and_the_times_that_it_was_asked_for() {
    let takes = Spread::new(s(30), s(55)).unwrap();
    let workload = Workload { per_second: 0.5, span: s(400_000), takes, seed: 3 };
    let trace = workload.trace().unwrap();
    let jobs = trace.jobs();
    assert!((jobs.len() as f64 / 200_000.0 - 1.0).abs() < 0.01, "{}", jobs.len());
    let mut times: Vec<Duration> = jobs.iter().map(|job| job.takes).collect();
    times.sort();
    let at = |share: f64| times[(share * times.len() as f64) as usize].as_secs_f64();
    assert!((at(0.5) / 30.0 - 1.0).abs() < 0.01 && (at(0.95) / 55.0 - 1.0).abs() < 0.01);
    assert_eq!(workload.trace().unwrap(), trace);
    assert_ne!(Workload { seed: 4, ..workload }.trace().unwrap(), trace);
}

#[test]
fn jobs_come_over_all_of_ten_years_and_wait_no_longer_than_in_one() {
    let workload =
        Workload { per_second: 1e-4, span: s(3_650 * 86_400), takes: Spread::always(s(30)), seed: 1 };
    let trace = workload.trace().unwrap();
    assert!(trace.jobs().last().unwrap().at > s(3_649 * 86_400));
    assert!(run(&trace, &setup(), Policy::Doorbell).waits.quantile(1.0) < s(60));
}

#[test]
fn what_brings_no_jobs_or_too_many_is_refused_in_a_sentence() {
    let workload =
        |per_second| Workload { per_second, span: s(86_400), takes: Spread::always(s(1)), seed: 1 };
    for rate in [0.0, -1.0, f64::NAN] {
        let error = workload(rate).trace().unwrap_err().to_string();
        assert!(error.contains("give a rate above zero"), "{error}");
    }
    let error = workload(1_000.0).trace().unwrap_err().to_string();
    assert!(error.contains("86400000 jobs") && error.contains("shorter time"), "{error}");
}

#[test]
fn spreads_that_cannot_be_are_refused() {
    assert!(Spread::new(s(10), s(9)).unwrap_err().to_string().contains("below the median"));
    assert_eq!(Spread::new(s(0), s(9)), Err(SpreadError::Nothing));
    assert_eq!(Spread::new(s(0), s(0)), Ok(Spread::always(s(0))));
}

#[test]
fn fleets_that_never_work_are_refused() {
    let refused = |limits| {
        let setup = Setup { limits, ..setup() };
        simulate(&jobs(&[(0, 1)]), &setup, Policy::Doorbell, &mut ()).unwrap_err()
    };
    assert_eq!(refused(Limits::up_to(0)), SetupError::NoWorkers);
    assert_eq!(refused(Limits { paused: true, ..Limits::up_to(1) }), SetupError::Paused);
    assert!(matches!(refused(Limits { min: 2, ..Limits::up_to(1) }), SetupError::Limits(_)));
}

#[test]
fn quantiles_are_waits_that_somebody_had() {
    let waits = Waits::new([4, 1, 3, 2].map(s).to_vec());
    let quantiles = [0.0, 0.25, 0.26, 0.5, 0.95, 1.0].map(|share| waits.quantile(share).as_secs());
    assert_eq!(quantiles, [1, 1, 2, 2, 4, 4]);
    assert_eq!((waits.mean(), waits.within(s(3)), waits.within(s(0))), (s(5) / 2, 0.75, 0.0));
    let none = Waits::default();
    assert_eq!((none.quantile(0.5), none.mean(), none.within(s(0))), (s(0), s(0), 1.0));
}

#[test]
fn a_task_is_charged_for_a_minute_at_least() {
    let quick = Setup { limits: Limits { cool_down: s(0), ..Limits::up_to(1) }, ..setup() };
    let quick = Setup { start: Spread::always(s(0)), ..quick };
    let report = run(&jobs(&[(10, 1)]), &quick, Policy::Doorbell);
    assert!(report.alive <= s(3), "{report:?}");
    assert_eq!(report.charged, s(60));
}

#[test]
fn a_month_of_one_task_that_is_always_there_has_its_price() {
    let limits = Limits { min: 1, ..Limits::up_to(1) };
    let trace = Trace::new(Vec::new(), s(10 * 86_400));
    let report = run(&trace, &Setup { limits, ..setup() }, Policy::Doorbell);
    let month = FARGATE_ARM.month(&report, TaskSize { vcpu: 0.25, memory_gb: 0.5 });
    assert!((month - 7.21).abs() < 0.01, "{month}");
    assert_eq!(report.utilisation(), 0.0);
}

#[test]
fn the_busiest_stretch_of_a_trace_is_where_most_jobs_come() {
    let trace = jobs(&[(0, 1), (500, 1), (700, 1), (710, 1), (2_000, 1)]);
    assert_eq!(trace.busiest(s(250)), s(500));
    assert_eq!(trace.busiest(s(5_000)), s(0));
    assert_eq!(jobs(&[(0, 1), (1_000, 1), (1_010, 1)]).busiest(s(500)), s(510));
}

#[test]
fn a_picture_keeps_what_is_shorter_than_its_steps() {
    let mut series = Series::new(s(0), s(1_000), 10);
    simulate(&jobs(&[(250, 100), (950, 1)]), &setup(), Policy::Doorbell, &mut series).unwrap();
    assert_eq!(series.waiting(), [0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
    // Alive from 250 s until 30 + 100 + 15 s later, and from 950 s on.
    assert_eq!(series.alive(), [0, 0, 1, 1, 0, 0, 0, 0, 0, 1]);
    assert_eq!((series.from(), series.length()), (s(0), s(1_000)));
}
