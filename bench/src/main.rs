//! Measurements, each beside a floor or a rival taken in the same run on the same server: the machine may be shared and noisy,
//! so only the ratios mean anything.
#![allow(clippy::print_stdout)]

mod inserts;
mod report;
mod server;
mod wake;

use std::path::PathBuf;

use clap::Parser;

use crate::report::Report;
use crate::server::Server;

#[derive(Parser)]
#[command(about)]
struct Args {
    /// What to measure; all of it when nothing is named.
    #[arg(value_enum)]
    what: Vec<What>,
    /// A quick look instead of figures to quote.
    #[arg(long)]
    short: bool,
    /// Also write the figures as JSON to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// From the commit that queued a job to its claim by a sleeping worker.
    Wake,
    /// Inserts per second from 32 writers, with and without the doorbell.
    Inserts,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let wants = |what| args.what.is_empty() || args.what.contains(&what);
    let server = Server::start().await?;
    let mut reports: Vec<Report> = Vec::new();
    if wants(What::Wake) {
        reports.push(wake::measure(&server, if args.short { 50 } else { 500 }).await?);
    }
    if wants(What::Inserts) {
        let (rounds, seconds) = if args.short { (3, 0.5) } else { (7, 2.0) };
        reports.push(inserts::measure(&server, 32, rounds, seconds).await?);
    }
    for report in &reports {
        println!("{report}\n");
    }
    if let Some(path) = &args.json {
        let json: Vec<_> = reports.iter().map(Report::json).collect();
        std::fs::write(path, serde_json::to_string_pretty(&json)?)?;
    }
    server.stop().await
}
