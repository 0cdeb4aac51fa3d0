//! What the scaler is told when it starts: flags, each with the same name in the environment.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use domain::Mode;
use scaling::{Limits, LimitsError, defaults};

use crate::aws::{NameError, Names};

/// As those who only look take it.
#[allow(clippy::cast_possible_truncation)]
const DEFAULT_SLA_MS: u64 = store::DEFAULT_SLA.as_millis() as u64;

/// Decides how many workers run, and sees to it.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Settings {
    /// Where the secrets are: file:PATH, or aws:PREFIX for AWS Secrets Manager.
    #[arg(long, env = "SECRETS")]
    pub secrets: String,
    /// How workers are started and stopped.
    #[arg(long, env = "ACTUATOR", default_value = "processes")]
    pub actuator: ActuatorKind,
    /// Mechanics at least, with or without work.
    #[arg(long, env = "MECHANIC_MIN", default_value_t = defaults::MIN, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    mechanic_min: u32,
    /// Mechanics at most.
    #[arg(long, env = "MECHANIC_MAX", default_value_t = defaults::MECHANIC_MAX, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    mechanic_max: u32,
    /// Geniuses at least, with or without work.
    #[arg(long, env = "GENIUS_MIN", default_value_t = defaults::MIN, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    genius_min: u32,
    /// Geniuses at most.
    #[arg(long, env = "GENIUS_MAX", default_value_t = defaults::GENIUS_MAX, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    genius_max: u32,
    /// Workers that run at least while a mode's queue is not empty: 2 in production. A lower maximum counts before it.
    #[arg(long, env = "FLOOR_WHILE_BUSY", default_value_t = defaults::FLOOR_WHILE_BUSY, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    floor_while_busy: u32,
    /// Ready jobs for which one more worker is started.
    #[arg(long, env = "JOBS_PER_WORKER", default_value_t = defaults::JOBS_PER_WORKER, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    jobs_per_worker: u32,
    /// Milliseconds for which fewer workers must have been enough before any are stopped [default: 15000 for processes, 60000 on AWS,
    /// where a minute is paid for in any case].
    #[arg(long, env = "COOL_DOWN_MS", value_parser = clap::value_parser!(u64).range(0..=86_400_000))]
    cool_down_ms: Option<u64>,
    /// Milliseconds for which an attempt may run before its job is taken for stuck; one with a longer time limit of its own, a minute
    /// after that.
    #[arg(long, env = "JOB_SLA_MS", default_value_t = DEFAULT_SLA_MS, value_parser = clap::value_parser!(u64).range(1_000..=604_800_000))]
    job_sla_ms: u64,
    /// Days for which finished jobs are kept, with their events; 0 keeps them for ever.
    #[arg(long, env = "RETENTION_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub retention_days: u32,
    /// ACTUATOR=aws: the ECS cluster.
    #[arg(long, env = "ECS_CLUSTER", default_value = "ai-coding-team")]
    ecs_cluster: String,
    /// ACTUATOR=aws: the mechanics' ECS service.
    #[arg(long, env = "MECHANIC_SERVICE", default_value = "mechanic-worker")]
    mechanic_service: String,
    /// ACTUATOR=aws: the geniuses' ECS service.
    #[arg(long, env = "GENIUS_SERVICE", default_value = "genius-worker")]
    genius_service: String,
    /// ACTUATOR=aws: milliseconds between two calls that publish metrics. CloudWatch keeps whole minutes; 0 publishes nothing.
    #[arg(long, env = "METRICS_EACH_MS", default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(0..=3_600_000))]
    metrics_each_ms: u64,
    /// ACTUATOR=processes: the worker program [default: `worker` beside this one].
    #[arg(long, env = "WORKER_PROGRAM")]
    pub worker_program: Option<PathBuf>,
    /// ACTUATOR=processes: the SECRETS that workers are given [default: this program's own].
    #[arg(long, env = "WORKER_SECRETS")]
    pub worker_secrets: Option<String>,
    /// What is logged, as in LOG=info or LOG=warn,scaler=debug.
    #[arg(long, env = "LOG")]
    pub log: Option<String>,
    /// Stop, as on SIGTERM, when standard input closes: for a supervisor on the same machine.
    #[arg(long)]
    pub stop_on_stdin_close: bool,
}

/// The scaler's hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ActuatorKind {
    /// Worker processes on this machine.
    Processes,
    /// Tasks of two ECS services, through Application Auto Scaling. AWS_REGION and credentials as for every AWS program.
    Aws,
}

impl Settings {
    /// Refuses bounds that cannot all hold.
    pub fn check(&self) -> Result<(), LimitsError> {
        Mode::ALL.iter().try_for_each(|&mode| self.limits(mode).check().map(drop))
    }

    /// The bounds of a mode's fleet.
    pub fn limits(&self, mode: Mode) -> Limits {
        let (min, max) = match mode {
            Mode::Mechanic => (self.mechanic_min, self.mechanic_max),
            Mode::Genius => (self.genius_min, self.genius_max),
        };
        let cool_down = match self.actuator {
            ActuatorKind::Processes => defaults::COOL_DOWN_OF_PROCESSES,
            ActuatorKind::Aws => defaults::COOL_DOWN_ON_ECS,
        };
        Limits {
            min,
            max,
            floor_while_busy: self.floor_while_busy.min(max),
            cool_down: self.cool_down_ms.map_or(cool_down, Duration::from_millis),
            jobs_per_worker: self.jobs_per_worker,
            paused: false,
        }
    }

    /// How long an attempt may run before its job is stuck.
    pub fn job_sla(&self) -> Duration {
        Duration::from_millis(self.job_sla_ms)
    }

    /// How often metrics are published. None: never.
    pub fn metrics_each(&self) -> Option<Duration> {
        (self.metrics_each_ms > 0).then(|| Duration::from_millis(self.metrics_each_ms))
    }

    /// The fleet's names on ECS.
    pub fn names(&self) -> Result<Names, NameError> {
        Names::new(&self.ecs_cluster, &self.mechanic_service, &self.genius_service)
    }
}
