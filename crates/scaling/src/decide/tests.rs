use proptest::prelude::*;

use super::*;
use crate::{BURST, REGAINED};

const NOW: Duration = Duration::from_secs(1_000);

fn limits() -> Limits {
    Limits::up_to(10)
}

fn seen(ready: u32, running: u32) -> Seen {
    Seen { ready, running, busy: running, age: Duration::ZERO }
}

fn decided(ready: u32, running: u32, limits: &Limits, held: u32) -> Decision {
    decide(Some(&seen(ready, running)), limits, &History::found(held), NOW)
}

#[test]
fn a_job_wakes_a_worker_at_once() {
    let decision = decided(1, 0, &limits(), 0);
    assert_eq!(
        (decision.target, decision.why.to_string().as_str()),
        (1, "1 worker for 1 ready and 0 running")
    );
}

#[test]
fn a_burst_goes_to_the_limit_in_one_step() {
    let decision = decided(40, 2, &limits(), 2);
    assert_eq!(decision.target, 10);
    assert!(decision.why.to_string().ends_with("the limit is 10"), "{}", decision.why);
}

#[test]
fn the_fleet_sleeps_only_after_the_cool_down() {
    let limits = limits();
    let first = decided(0, 0, &limits, 3);
    assert_eq!((first.target, first.again_at), (3, Some(NOW + limits.cool_down)));
    let later = decide(Some(&seen(0, 0)), &limits, &first.history, NOW + limits.cool_down);
    assert_eq!((later.target, later.why), (0, Why::Asleep));
}

#[test]
fn a_job_during_the_cool_down_starts_it_anew() {
    let first = decided(0, 0, &limits(), 3);
    let busy = decide(Some(&seen(3, 0)), &limits(), &first.history, NOW + Duration::from_secs(10));
    assert_eq!((busy.target, busy.history.surplus_since), (3, None));
}

#[test]
fn without_trustworthy_data_it_holds_and_says_so() {
    let nonsense = Seen { busy: 5, ..seen(0, 1) };
    let old = Seen { age: Duration::from_secs(6), ..seen(9, 0) };
    let cases = [
        (None, "holding 4 workers: the queue cannot be seen"),
        (Some(nonsense), "holding 4 workers: 5 workers cannot be busy with 1 job"),
        (Some(old), "holding 4 workers: what is known of the queue is 6 s old"),
    ];
    for (bad, sentence) in cases {
        let decision = decide(bad.as_ref(), &limits(), &History::found(4), NOW);
        assert_eq!((decision.target, decision.history), (4, History::found(4)));
        assert_eq!(decision.why.to_string(), sentence);
    }
}

#[test]
fn production_keeps_two_while_there_is_work() {
    let limits = Limits { floor_while_busy: 2, ..limits() };
    let one = decided(1, 0, &limits, 0);
    assert_eq!(one.target, 2);
    assert_eq!(one.why.to_string(), "2 workers for 1 ready and 0 running; at least 2 while there is work");
    assert_eq!(decided(0, 0, &limits, 0).target, 0);
}

#[test]
fn a_minimum_is_kept_without_work() {
    let limits = Limits { min: 1, ..limits() };
    let idle = decided(0, 0, &limits, 0);
    assert_eq!(
        (idle.target, idle.why.to_string().as_str()),
        (1, "nothing is queued or running: 1 worker is always kept")
    );
}

#[test]
fn more_jobs_may_share_a_worker() {
    let limits = Limits { jobs_per_worker: 5, ..limits() };
    assert_eq!([1, 5, 6, 50].map(|ready| decided(ready, 0, &limits, 0).target), [1, 1, 2, 10]);
}

#[test]
fn while_scaling_is_paused_nothing_changes() {
    let limits = Limits { paused: true, ..limits() };
    let decision = decided(9, 0, &limits, 2);
    assert_eq!((decision.target, decision.why), (2, Why::Paused { held: 2 }));
}

#[test]
fn a_mind_that_was_changed_too_often_waits_a_moment() {
    let mut history = History::found(0);
    for held in 1..=BURST {
        history = decide(Some(&seen(held, 0)), &Limits::up_to(100), &history, NOW).history;
        assert_eq!(history.target, held);
    }
    let held = decide(Some(&seen(50, 0)), &Limits::up_to(100), &history, NOW);
    assert_eq!((held.target, held.again_at), (BURST, Some(NOW + REGAINED)));
    let later = decide(Some(&seen(50, 0)), &Limits::up_to(100), &held.history, NOW + REGAINED);
    assert_eq!(later.target, 50);
}

#[test]
fn limits_that_cannot_hold_are_refused_with_a_sentence() {
    let bad = [
        (Limits { min: 5, ..Limits::up_to(3) }, "at least 5 and at most 3 workers cannot both hold"),
        (
            Limits { floor_while_busy: 4, ..Limits::up_to(3) },
            "at least 4 workers while there is work and at most 3",
        ),
        (Limits { jobs_per_worker: 0, ..Limits::up_to(3) }, "a worker cannot be started for every 0 jobs"),
    ];
    for (limits, sentence) in bad {
        let error = limits.check().unwrap_err().to_string();
        assert!(error.starts_with(sentence), "{error}");
    }
}

prop_compose! {
    fn any_limits()(max in 0u32..20, min in 0u32..20, floor in 0u32..20, cool_down in 0u64..60, jobs_per_worker in 1u32..4) -> Limits {
        Limits {
            min: min.min(max),
            max,
            floor_while_busy: floor.min(max),
            cool_down: Duration::from_secs(cool_down),
            jobs_per_worker,
            paused: false,
        }
    }
}

prop_compose! {
    fn any_seen()(ready in 0u32..100, running in 0u32..30, idle in 0u32..30) -> Seen {
        Seen { busy: running.saturating_sub(idle), ..seen(ready, running) }
    }
}

proptest! {
    #[test]
    fn a_target_is_within_bounds_and_never_below_the_busy(seen in any_seen(), limits in any_limits(), target in 0u32..20) {
        let decision = decide(Some(&seen), &limits, &History::found(target), NOW);
        prop_assert!(decision.target >= seen.busy);
        prop_assert!(decision.target <= limits.max.max(seen.busy).max(target));
        prop_assert!(decision.target >= seen.demand(limits.jobs_per_worker).min(limits.max), "a job waits while a slot is free");
        prop_assert!(decision.target >= limits.min);
        prop_assert_eq!(decision.target, decision.history.target);
        if decision.target > target.max(seen.busy) {
            prop_assert!(decision.target <= limits.max);
        }
    }

    /// A walk through time: whatever is seen, and at whichever moments.
    #[test]
    fn over_any_time_it_changes_seldom_never_stops_the_busy_and_never_shrinks_before_the_cool_down(
        steps in proptest::collection::vec((0u64..4_000, proptest::option::weighted(0.9, any_seen())), 1..200), limits in any_limits(),
    ) {
        let (mut now, mut history) = (Duration::ZERO, History::found(0));
        let mut changes: Vec<Duration> = Vec::new();
        let mut needed_at = Duration::ZERO;
        for (ms, seen) in steps {
            now += Duration::from_millis(ms);
            let before = history;
            let decision = decide(seen.as_ref(), &limits, &history, now);
            history = decision.history;
            let busy = seen.map_or(0, |seen| seen.busy);
            if decision.target < before.target {
                prop_assert!(now >= needed_at + limits.cool_down, "fewer before the cool-down");
                prop_assert!(decision.target >= busy);
            }
            if seen.is_some_and(|seen| wanted(&seen, &limits) >= before.target) {
                needed_at = now;
            }
            if decision.target != before.target {
                if before.target >= busy {
                    let allowed = |since: Duration| BURST as usize + ((now - since).as_secs() / REGAINED.as_secs()) as usize;
                    for (n, &since) in changes.iter().rev().enumerate() {
                        prop_assert!(n + 1 < allowed(since) + 1, "{} changes within {:?}", n + 2, now - since);
                    }
                }
                changes.push(now);
            }
            if let Some(again_at) = decision.again_at {
                prop_assert!(again_at > now, "it would spin");
            }
        }
    }
}
