//! The fleets that are simulated. Their bounds are flags, variables and ranges of the scaler; their defaults are those of ECS.

use std::time::Duration;

use clap::Args;
use domain::Mode;
use scaling::simulation::TaskSize;
use scaling::{Limits, defaults};

use super::parse::size;

/// The fleets.
#[derive(Debug, Args)]
#[command(next_help_heading = "Fleets (variables as the scaler reads them)")]
pub struct Fleet {
    /// Mechanics at least, with or without work
    #[arg(long, env = "MECHANIC_MIN", value_name = "N", default_value_t = defaults::MIN, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    mechanic_min: u32,
    /// Mechanics at most
    #[arg(long, env = "MECHANIC_MAX", value_name = "N", default_value_t = defaults::MECHANIC_MAX, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    mechanic_max: u32,
    /// Geniuses at least, with or without work
    #[arg(long, env = "GENIUS_MIN", value_name = "N", default_value_t = defaults::MIN, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    genius_min: u32,
    /// Geniuses at most
    #[arg(long, env = "GENIUS_MAX", value_name = "N", default_value_t = defaults::GENIUS_MAX, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    genius_max: u32,
    /// Workers of a mode at least while it has work (doorbell alone). A lower maximum counts before it
    #[arg(long, env = "FLOOR_WHILE_BUSY", value_name = "N", default_value_t = defaults::FLOOR_WHILE_BUSY, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    floor_while_busy: u32,
    /// For so long fewer workers must have been enough before any are stopped (doorbell alone)
    #[arg(long, env = "COOL_DOWN_MS", value_name = "MILLISECONDS", default_value_t = defaults::COOL_DOWN_ON_ECS.as_millis() as u64, value_parser = clap::value_parser!(u64).range(0..=86_400_000))]
    cool_down_ms: u64,
    /// Jobs in line for which one more worker is started
    #[arg(long, env = "JOBS_PER_WORKER", value_name = "N", default_value_t = defaults::JOBS_PER_WORKER, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    jobs_per_worker: u32,
    /// A mechanic's task, in virtual processors and gigabytes of memory
    #[arg(long, value_name = "VCPU/GB", value_parser = size, allow_hyphen_values = true, default_value = "0.5/1")]
    mechanic_size: TaskSize,
    /// A genius's task
    #[arg(long, value_name = "VCPU/GB", value_parser = size, allow_hyphen_values = true, default_value = "1/2")]
    genius_size: TaskSize,
}

impl Fleet {
    /// The size of the mode's tasks.
    pub fn size(&self, mode: Mode) -> TaskSize {
        match mode {
            Mode::Mechanic => self.mechanic_size,
            Mode::Genius => self.genius_size,
        }
    }

    /// The bounds of the mode's fleet. A floor above its maximum is the maximum, as one number is given for both.
    pub fn limits(&self, mode: Mode) -> Limits {
        let (min, max) = match mode {
            Mode::Mechanic => (self.mechanic_min, self.mechanic_max),
            Mode::Genius => (self.genius_min, self.genius_max),
        };
        Limits {
            min,
            max,
            floor_while_busy: self.floor_while_busy.min(max),
            cool_down: Duration::from_millis(self.cool_down_ms),
            jobs_per_worker: self.jobs_per_worker,
            paused: false,
        }
    }
}
