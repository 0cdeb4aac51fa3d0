//! What the Rust peers of the bench share: the command line, the clock and the one line of JSON.
//!
//! A peer says how it enqueues, works and counts ([`Peer`]); [`run`] measures all peers in the same way. A surprise may
//! be that the throughput is counted by the peer's handlers and only its end is asked of the database: counting rows
//! while a queue drains would slow the queue down.

mod args;
mod measure;
mod peer;
mod probe;
mod url;

use std::process::ExitCode;

use clap::Parser;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

pub use args::{Batch, Command, Setting};
pub use peer::{How, Peer};
pub use probe::Probe;

/// The command that this process was started with. Ends the process with a sentence when it cannot be read.
pub fn command() -> Command {
    args::Args::parse().command
}

/// Does what `command` asks for and prints its one line of JSON.
pub fn run<P: Peer>(command: Command) -> ExitCode {
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // sqlx warns of each slow statement with its whole text: a schema's installation is thousands of lines.
    let levels = Targets::new().with_default(Level::WARN).with_target("sqlx", Level::ERROR);
    tracing_subscriber::registry().with(log.with_filter(levels)).init();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(measure::command::<P>(command)));
    match outcome {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
