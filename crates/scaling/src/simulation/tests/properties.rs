//! What holds for every trace, fleet and policy.

use std::time::Duration;

use proptest::prelude::*;

use super::lawful::Lawful;
use super::*;
use crate::pace::{BREATH, COUNTED, LOOK, is_settled};
use crate::simulation::engine::Engine;
use crate::simulation::policy::{Change, Look, Scaler};
use crate::{History, Seen, decide};

fn traces() -> impl Strategy<Value = Trace> {
    let ms = |most: u64| (0..most).prop_map(Duration::from_millis);
    let job = (prop_oneof![ms(60_000), ms(3_600_000)], prop_oneof![ms(5_000), ms(600_000)]);
    prop::collection::vec(job, 0..80).prop_map(|jobs| {
        Trace::new(jobs.into_iter().map(|(at, takes)| Job { at, takes }).collect(), Duration::ZERO)
    })
}

fn setups() -> impl Strategy<Value = Setup> {
    let limits = (1..12_u32, 0..12_u32, 0..12_u32, 0..90_u64, 1..4_u32).prop_map(
        |(max, min, floor, cool_down, jobs_per_worker)| Limits {
            min: min.min(max),
            floor_while_busy: floor.min(max),
            cool_down: s(cool_down),
            jobs_per_worker,
            ..Limits::up_to(max)
        },
    );
    let times = (0..60_u64, 0..60_u64, 0..2_000_u64, 0..6_000_u64);
    (limits, times, any::<u64>()).prop_map(|(limits, (median, more, hearing, effect), seed)| Setup {
        limits,
        start: Spread::new(s(median + 1), s(median + 1 + more)).unwrap(),
        hearing: Duration::from_millis(hearing),
        effect: Duration::from_millis(effect),
        seed,
    })
}

fn policies() -> impl Strategy<Value = Policy> {
    prop::sample::select(Policy::ALL.as_slice())
}

/// Ours, without leaving anything out: awake it looks each second, whether or not anything can have changed, and it falls asleep and
/// hears as `scaler/src/reconcile.rs` says. It shares nothing with the policy but what the scaler shares with it.
struct EachSecond {
    limits: Limits,
    hearing: Duration,
    history: History,
    is_asleep: bool,
}

impl EachSecond {
    fn new(setup: &Setup) -> EachSecond {
        let Setup { limits, hearing, .. } = *setup;
        EachSecond { limits, hearing, history: History::found(limits.min), is_asleep: false }
    }
}

impl Scaler for EachSecond {
    fn changed(&mut self, now: Duration, change: Change) -> Option<Duration> {
        let has_room = self.history.target < self.limits.max;
        match change {
            Change::Arrived if self.is_asleep => Some(now + self.hearing),
            Change::Arrived if has_room => Some(now + self.hearing + BREATH),
            // Asleep it hears of nothing else, and awake it looks within the second.
            _ => None,
        }
    }

    fn look(&mut self, now: Duration, view: &View, standing: Option<u32>) -> Look {
        let View { waiting, busy, .. } = *view;
        let seen = Seen { ready: waiting.min(COUNTED), running: busy, busy, age: Duration::ZERO };
        let decision = decide(Some(&seen), &self.limits, &self.history, now);
        self.history = decision.history;
        let is_quiet = seen.ready == 0 && seen.running == 0;
        self.is_asleep = is_quiet && is_settled(&decision.history, decision.again_at, &self.limits, standing);
        Look { target: decision.target, again_at: (!self.is_asleep).then_some(now + LOOK) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_job_is_done_once_by_one_worker_and_nobody_at_work_is_stopped(
        trace in traces(), setup in setups(), policy in policies(),
    ) {
        let mut lawful = Lawful::new(setup.limits, trace.jobs().len());
        let report = simulate(&trace, &setup, policy, &mut lawful).unwrap();
        prop_assert_eq!(report.waits.jobs(), trace.jobs().len());
        for (index, job) in trace.jobs().iter().enumerate() {
            let (begun, ended) = (lawful.begun[index].unwrap(), lawful.ended[index].unwrap());
            prop_assert!(begun >= job.at);
            prop_assert_eq!(ended, begun + job.takes);
        }
        prop_assert!(report.working <= report.alive && report.alive <= report.charged);
        prop_assert!(report.alive <= report.span * report.most);
    }

    #[test]
    fn the_same_seed_gives_the_same_report(trace in traces(), setup in setups(), policy in policies()) {
        prop_assert_eq!(run(&trace, &setup, policy), run(&trace, &setup, policy));
    }

    #[test]
    fn leaving_out_looks_at_which_nothing_changed_changes_nothing(trace in traces(), setup in setups()) {
        let each = Engine::new(&trace, &setup, EachSecond::new(&setup), &mut ()).run();
        prop_assert_eq!(run(&trace, &setup, Policy::Doorbell), each);
    }

    #[test]
    fn a_bigger_fleet_that_never_changes_makes_nobody_wait_longer(trace in traces(), workers in 1..8_u32) {
        let fixed = |n| Setup { limits: Limits { min: n, ..Limits::up_to(n) }, ..setup() };
        let (small, big) = (run(&trace, &fixed(workers), Policy::Doorbell), run(&trace, &fixed(workers + 1), Policy::Doorbell));
        for share in [0.5, 0.9, 1.0] {
            prop_assert!(big.waits.quantile(share) <= small.waits.quantile(share));
        }
    }
}
