//! What tasks cost. Estimates for people who plan, in dollars; what jobs really cost is in the ledger, to the micro-dollar.
//!
//! Elsewhere: what models cost stands in the catalogue of `crates/models`, what a NAT gateway costs in `docs/planning.md`, and these two
//! once more in `docs/simulate.md`, where a test compares them.

use super::Report;

/// Hours that a month is reckoned with.
pub const HOURS_A_MONTH: f64 = 730.0;

/// What a task costs an hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Dollars for a virtual processor.
    pub vcpu_hour: f64,
    /// Dollars for a gigabyte of memory.
    pub gb_hour: f64,
    /// Where these are written down.
    pub source: &'static str,
    /// The month in which they were looked up.
    pub as_of: &'static str,
}

/// Fargate on ARM, Linux, in us-east-1.
pub const FARGATE_ARM: Price = Price {
    vcpu_hour: 0.032_38,
    gb_hour: 0.003_56,
    source: "https://aws.amazon.com/fargate/pricing/",
    as_of: "2026-11",
};

/// How big a task is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskSize {
    /// Virtual processors.
    pub vcpu: f64,
    /// Gigabytes of memory.
    pub memory_gb: f64,
}

impl Price {
    /// Dollars that a fleet costs in a month, if all of it is like the report's span. Of nothing: nothing.
    pub fn month(&self, report: &Report, size: TaskSize) -> f64 {
        let span = report.span.as_secs_f64() / 3_600.0;
        if span == 0.0 {
            return 0.0;
        }
        let an_hour = self.vcpu_hour * size.vcpu + self.gb_hour * size.memory_gb;
        report.task_hours() * an_hour * HOURS_A_MONTH / span
    }
}
