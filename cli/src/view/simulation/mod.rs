//! How a comparison of ways of scaling looks: a table, JSON, a picture.

mod distribution;
mod picture;
mod svg;

use std::time::Duration;

use domain::Mode;
use scaling::simulation::{FARGATE_ARM, PROMISE, Policy, Report, Series};
use serde_json::{Value, json};

pub use picture::picture;

use crate::view::number::{count, span};
use crate::view::table::table as columns;

/// What came of a comparison.
#[derive(Debug)]
pub struct Compared {
    /// Jobs of all modes.
    pub jobs: usize,
    /// The time in which they came.
    pub span: Duration,
    /// Of what is made up.
    pub seed: u64,
    /// By policy, then by mode, then both together.
    pub fleets: Vec<Fleet>,
    /// Both fleets together, by policy.
    pub pictures: Vec<(Policy, Series)>,
    /// For so long jobs were made up or read, and for so long the simulations ran.
    pub made: Duration,
    pub simulated: Duration,
}

/// A fleet under one policy.
#[derive(Clone, Debug)]
pub struct Fleet {
    pub policy: Policy,
    /// None: both together.
    pub mode: Option<Mode>,
    pub report: Report,
    /// Dollars a month.
    pub month: f64,
}

/// Adds a row for both fleets of a policy where there are two.
pub fn with_sums(fleets: Vec<Fleet>) -> Vec<Fleet> {
    let of_one_policy = fleets.chunk_by(|one, other| one.policy == other.policy);
    of_one_policy.flat_map(|fleets| fleets.iter().cloned().chain(sum(fleets))).collect()
}

fn sum(fleets: &[Fleet]) -> Option<Fleet> {
    let [one, other] = fleets else { return None };
    let report = one.report.clone().and(other.report.clone());
    Some(Fleet { policy: one.policy, mode: None, report, month: one.month + other.month })
}

impl Compared {
    /// The row that speaks for a policy: that of both fleets, or the only one.
    fn whole(&self, policy: Policy) -> Option<&Fleet> {
        self.fleets.iter().rfind(|fleet| fleet.policy == policy)
    }
}

/// The promise as it is written in headings: `60s`.
fn promised() -> String {
    format!("{}s", PROMISE.as_secs())
}

/// The table: waits from ready to start, and what the workers cost.
pub fn table(compared: &Compared) -> String {
    let row = |fleet: &Fleet| {
        let report = &fleet.report;
        let waits = [0.5, 0.95, 0.99, 1.0].map(|share| span(report.waits.quantile(share)));
        let mut row = vec![
            fleet.policy.to_string(),
            fleet.mode.map_or("both".into(), |mode| mode.to_string()),
            report.waits.jobs().to_string(),
        ];
        row.extend(waits);
        row.extend([
            percent(report.waits.within(PROMISE)),
            format!("{:.1}", report.task_hours()),
            format!("${:.2}", fleet.month),
            percent(report.utilisation()),
            report.changes.to_string(),
            report.most.to_string(),
        ]);
        row
    };
    let in_time = format!("in {}", promised());
    let headings = [
        "policy",
        "fleet",
        "jobs",
        "p50",
        "p95",
        "p99",
        "longest",
        &in_time,
        "task-hours",
        "a month",
        "busy",
        "changes",
        "most",
    ];
    columns(&headings, &(2..headings.len()).collect::<Vec<_>>(), compared.fleets.iter().map(row))
}

/// The same for programs; times in seconds, shares from 0 to 1.
pub fn json(compared: &Compared) -> Value {
    let fleet = |fleet: &Fleet| {
        let report = &fleet.report;
        let wait = |share| report.waits.quantile(share).as_secs_f64();
        json!({
            "policy": fleet.policy.name(),
            "mode": fleet.mode,
            "jobs": report.waits.jobs(),
            "wait_s": {
                "mean": report.waits.mean().as_secs_f64(),
                "p50": wait(0.5), "p95": wait(0.95), "p99": wait(0.99), "max": wait(1.0),
            },
            (format!("within_{}", promised())): report.waits.within(PROMISE),
            "task_hours": report.task_hours(),
            "dollars_a_month": (fleet.month * 1e6).round() / 1e6,
            "utilisation": report.utilisation(),
            "capacity_changes": report.changes,
            "workers_at_most": report.most,
            "span_s": report.span.as_secs_f64(),
        })
    };
    json!({
        "jobs": compared.jobs,
        "span_s": compared.span.as_secs_f64(),
        "seed": compared.seed,
        "price": {
            "vcpu_hour": FARGATE_ARM.vcpu_hour, "gb_hour": FARGATE_ARM.gb_hour,
            "source": FARGATE_ARM.source, "as_of": FARGATE_ARM.as_of,
        },
        "fleets": compared.fleets.iter().map(fleet).collect::<Vec<_>>(),
    })
}

/// What was simulated, and how long that took.
pub fn note(compared: &Compared) -> String {
    let policies = compared.fleets.chunk_by(|one, other| one.policy == other.policy).count();
    format!(
        "{} jobs of {}, under {policies} {}: read or made up in {:.2}s, simulated in {:.2}s",
        count(compared.jobs as u64),
        days(compared.span),
        if policies == 1 { "policy" } else { "policies" },
        compared.made.as_secs_f64(),
        compared.simulated.as_secs_f64()
    )
}

fn days(time: Duration) -> String {
    match time.as_secs() {
        0..172_800 => span(time),
        seconds => format!("{:.1} days", seconds as f64 / 86_400.0),
    }
}

/// Never rounded up to all of them.
fn percent(share: f64) -> String {
    format!("{:.1}%", (share * 1_000.0).floor() / 10.0)
}

#[cfg(test)]
mod tests {
    use scaling::Limits;
    use scaling::simulation::{Job, Setup, Spread, Trace, simulate};

    use super::*;

    pub fn compared() -> Compared {
        let second = Duration::from_secs(1);
        let jobs =
            vec![Job { at: second * 60, takes: second * 30 }, Job { at: second * 300, takes: second * 90 }];
        let trace = Trace::new(jobs, second * 3_600);
        let setup = Setup {
            limits: Limits::up_to(3),
            start: Spread::always(second * 32),
            hearing: second / 10,
            effect: second * 3,
            seed: 1,
        };
        let mut series = Series::new(Duration::ZERO, trace.span(), 100);
        let report = simulate(&trace, &setup, Policy::Doorbell, &mut series).unwrap();
        let fleet =
            |mode| Fleet { policy: Policy::Doorbell, mode: Some(mode), report: report.clone(), month: 1.25 };
        Compared {
            jobs: 4,
            span: trace.span(),
            seed: 1,
            fleets: with_sums([Mode::Mechanic, Mode::Genius].map(fleet).to_vec()),
            pictures: vec![(Policy::Doorbell, series.clone().and(&series))],
            made: Duration::ZERO,
            simulated: second / 4,
        }
    }

    #[test]
    fn the_table_has_a_row_for_each_fleet_and_one_for_both() {
        let text = table(&compared());
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        let both = [
            "doorbell", "both", "4", "35s", "35s", "35s", "35s", "100.0%", "0.1", "$2.50", "54.5%", "8", "2",
        ];
        assert_eq!(rows[3], both);
        assert_eq!((rows.len(), rows[1][1], rows[2][1]), (4, "mechanic", "genius"));
    }

    #[test]
    fn json_names_its_units_and_where_prices_come_from() {
        let value = json(&compared());
        assert_eq!(value["fleets"][2]["mode"], Value::Null);
        assert_eq!(value["fleets"][2]["wait_s"]["p95"], 35.1);
        assert_eq!(value["fleets"][2]["within_60s"], 1.0);
        assert!(value["price"]["source"].as_str().unwrap().starts_with("https://"));
    }

    #[test]
    fn a_share_is_not_rounded_up_to_all() {
        assert_eq!(
            (percent(0.9999), percent(1.0), percent(0.0)),
            ("99.9%".into(), "100.0%".into(), "0.0%".into())
        );
    }

    #[test]
    fn the_note_says_how_much_was_done_in_which_time() {
        assert_eq!(
            note(&compared()),
            "4 jobs of 1h00m, under 1 policy: read or made up in 0.00s, simulated in 0.25s"
        );
    }
}
