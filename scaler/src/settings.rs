//! What the scaler is told when it starts: flags, each with the same name in the environment.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use domain::Mode;
use scaling::Limits;

/// Decides how many workers run, and sees to it.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Settings {
    /// Where the secrets are: file:PATH.
    #[arg(long, env = "SECRETS")]
    pub secrets: String,
    /// How workers are started and stopped: as processes of this machine.
    #[arg(long, env = "ACTUATOR", default_value = "processes")]
    pub actuator: ActuatorKind,
    /// Mechanics at most.
    #[arg(long, env = "MECHANIC_MAX", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    mechanic_max: u32,
    /// Geniuses at most.
    #[arg(long, env = "GENIUS_MAX", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    genius_max: u32,
    /// Workers that run at least while a mode's queue is not empty.
    #[arg(long, env = "FLOOR_WHILE_BUSY", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    floor_while_busy: u32,
    /// Milliseconds for which fewer workers must have been enough before any are stopped.
    #[arg(long, env = "COOL_DOWN_MS", default_value_t = 15_000)]
    cool_down_ms: u64,
    /// Days for which finished jobs are kept, with their events; 0 keeps them for ever.
    #[arg(long, env = "RETENTION_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub retention_days: u32,
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
}

impl Settings {
    /// The bounds of a mode's fleet.
    pub fn limits(&self, mode: Mode) -> Limits {
        let max = match mode {
            Mode::Mechanic => self.mechanic_max,
            Mode::Genius => self.genius_max,
        };
        Limits {
            floor_while_busy: self.floor_while_busy.min(max),
            cool_down: Duration::from_millis(self.cool_down_ms),
            ..Limits::up_to(max)
        }
    }
}
