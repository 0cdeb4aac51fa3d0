//! A fleet that never changes is a queue of the textbook, whose mean wait is known (Erlang C).

use std::time::Duration;

use rand_distr::{Distribution, Exp};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::*;

/// Mean wait, in units of a mean job, of `c` servers that are busy for this part of their time.
fn erlang_c(c: u32, load: f64) -> f64 {
    let offered = load * f64::from(c);
    // The recursion for Erlang B, from which C follows.
    let blocked = (1..=c).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b));
    let waits = blocked / (1.0 - load * (1.0 - blocked));
    waits / (f64::from(c) * (1.0 - load))
}

fn mean_wait(c: u32, load: f64, jobs: usize) -> f64 {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(7);
    let (between, takes) = (Exp::new(load * f64::from(c)).unwrap(), Exp::new(1.0).unwrap());
    let mut at = 0.0;
    let jobs = (0..jobs).map(|_| {
        at += between.sample(&mut chance);
        Job { at: Duration::from_secs_f64(at), takes: Duration::from_secs_f64(takes.sample(&mut chance)) }
    });
    let trace = Trace::new(jobs.collect(), Duration::ZERO);
    let setup = Setup {
        limits: Limits { min: c, ..Limits::up_to(c) },
        start: Spread::always(Duration::ZERO),
        ..setup()
    };
    run(&trace, &setup, Policy::Doorbell).waits.mean().as_secs_f64()
}

#[test]
fn the_mean_wait_of_a_fleet_that_never_changes_is_erlangs() {
    for (c, load) in [(1, 0.5), (1, 0.8), (3, 0.7), (10, 0.85), (20, 0.8)] {
        let (simulated, exact) = (mean_wait(c, load, 400_000), erlang_c(c, load));
        let error = (simulated / exact - 1.0).abs();
        assert!(error < 0.05, "{c} workers at {load}: {simulated} instead of {exact}");
    }
}

#[test]
fn erlangs_formula_is_the_one_for_a_single_server_where_there_is_one() {
    assert!((erlang_c(1, 0.8) - 0.8 / 0.2).abs() < 1e-9);
}
