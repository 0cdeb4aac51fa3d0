//! The command line that every peer understands.

use clap::{Parser, Subcommand, ValueEnum};

/// Measures one job queue on the fresh database named by DATABASE_URL.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to measure.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Installs the queue's schema.
    Setup,
    /// From COMMIT sent to the start of the handler in an idle worker.
    Wake {
        /// Jobs, one after the other.
        #[arg(long)]
        rounds: usize,
        /// How the worker is set up.
        #[arg(long, value_enum, default_value = "default")]
        setting: Setting,
    },
    /// Jobs per second, from a backlog to its last durable completion.
    Drain {
        /// Jobs, enqueued before the clock starts.
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
        jobs: u64,
        /// Jobs at work at the same time, in this one process.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
        workers: u16,
        /// Whether jobs are fetched and completed many at a time.
        #[arg(long, value_enum)]
        batch: Batch,
        /// How the worker is set up.
        #[arg(long, value_enum, default_value = "default")]
        setting: Setting,
    },
    /// One worker idles while somebody else counts the server's statements.
    Idle {
        /// For how long.
        #[arg(long)]
        seconds: f64,
        /// How the worker is set up.
        #[arg(long, value_enum, default_value = "default")]
        setting: Setting,
    },
    /// Jobs completed one by one per span of time, while about 1,000 jobs stay queued.
    Steady {
        /// For how long.
        #[arg(long)]
        seconds: f64,
        /// The span of one figure, in seconds.
        #[arg(long)]
        bucket: f64,
        /// Jobs at work at the same time, in this one process.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
        workers: u16,
        /// How the worker is set up.
        #[arg(long, value_enum, default_value = "best")]
        setting: Setting,
    },
}

/// How the worker is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Setting {
    /// As the library comes.
    Default,
    /// As its documentation says for this load, see NOTES.md.
    Best,
}

/// Whether jobs are fetched and completed many at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Batch {
    /// Each job by itself.
    No,
    /// As many at a time as the library documents.
    Yes,
}
