//! Measurements, each beside a floor or a rival taken in the same run on the same server: the machine may be shared and noisy,
//! so only the ratios mean anything. README.md tells how to run and to read them.
#![allow(clippy::print_stdout)]

mod bare;
mod child;
mod claims;
mod floor;
mod idle;
mod inserts;
mod own;
mod peers;
mod pinned;
mod report;
mod scaler;
mod server;
mod step;
mod throughput;
mod turns;
mod wake;

use std::path::PathBuf;

use anyhow::bail;
use clap::{Parser, ValueEnum};
use serde_json::json;

use crate::peers::Peer;
use crate::report::Report;
use crate::server::Server;
use crate::turns::Effort;

#[derive(Parser)]
#[command(about)]
struct Args {
    /// What to measure; all of it when nothing is named.
    #[arg(value_enum)]
    what: Vec<What>,
    /// A quick look instead of figures to quote.
    #[arg(long)]
    short: bool,
    /// How often each contestant has its turn; 5, and 2 with --short, when it is not given.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    rounds: Option<u16>,
    /// Measure other queues too; what they need is installed into bench/peers/ from the public registries. With names
    /// (--peers=awa,pg-boss) only those.
    #[arg(long, value_name = "NAMES", num_args = 0..=1, require_equals = true, value_delimiter = ',', default_missing_value = "")]
    peers: Option<Vec<String>>,
    /// Also write the figures as JSON to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// From the commit that queued a job to its start in a sleeping worker.
    Wake,
    /// Jobs per second through ten workers.
    Throughput,
    /// Statements of a worker that has nothing to do.
    Idle,
    /// Work beside an open snapshot, which keeps dead rows from being taken away.
    Pinned,
    /// The cost of a claim with small and with large queues.
    Claims,
    /// Inserts per second from 1, 8 and 32 writers, with and without the triggers.
    Inserts,
    /// What a step of a job costs besides the model and the command.
    Step,
    /// The four that follow.
    Scaler,
    /// From the commit that queued a job to the scaler's call at AWS.
    ScalerWakes,
    /// What a scaler uses that has nothing to do.
    ScalerAsleep,
    /// Forty jobs at once: the scaler's calls at AWS.
    ScalerBurst,
    /// A day in half an hour; not with --short.
    ScalerDay,
}

impl What {
    /// Whether it is measured when `asked` is what was asked for.
    fn is_wanted(self, asked: &[What]) -> bool {
        let of_the_scaler =
            matches!(self, What::ScalerWakes | What::ScalerAsleep | What::ScalerBurst | What::ScalerDay);
        asked.is_empty() || asked.contains(&self) || of_the_scaler && asked.contains(&What::Scaler)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    // Dropping what is under way ends the peers' programs and the server.
    tokio::select! {
        done = measure(&args) => done,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    }
}

async fn measure(args: &Args) -> anyhow::Result<()> {
    let effort =
        Effort { rounds: args.rounds.map_or(if args.short { 2 } else { 5 }, usize::from), short: args.short };
    let server = Server::start().await?;
    let peers = match &args.peers {
        Some(names) => ready(&server, names).await?,
        None => Vec::new(),
    };
    let mut reports = Vec::new();
    for &what in What::value_variants() {
        if what.is_wanted(&args.what)
            && let Some(report) = one(what, &server, &peers, effort).await?
        {
            println!("{report}\n");
            reports.push(report.json());
        }
    }
    if let Some(path) = &args.json {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let run = json!({"postgres": server.version().await?, "cores": cores, "reports": reports});
        std::fs::write(path, serde_json::to_string_pretty(&run)?)?;
    }
    server.stop().await
}

/// None: there is nothing to measure under this name, or not now.
async fn one(what: What, server: &Server, peers: &[Peer], effort: Effort) -> anyhow::Result<Option<Report>> {
    let report = match what {
        What::Wake => wake::measure(server, peers, effort).await,
        What::Throughput => throughput::measure(server, peers, effort).await,
        What::Idle => idle::measure(server, peers, effort).await,
        What::Pinned => pinned::measure(server, peers, effort).await,
        What::Claims => claims::measure(server, effort).await,
        What::Inserts => inserts::measure(server, effort).await,
        What::Step => step::measure(server, effort).await,
        What::ScalerWakes => scaler::wakes(server, effort).await,
        What::ScalerAsleep => scaler::asleep(server, effort).await,
        What::ScalerBurst => scaler::burst(server, effort).await,
        What::ScalerDay if !effort.short => scaler::day(server, effort).await,
        What::Scaler | What::ScalerDay => return Ok(None),
    };
    report.map(Some)
}

/// The peers with these names (none: all), installed as far as that is possible here.
async fn ready(server: &Server, names: &[String]) -> anyhow::Result<Vec<Peer>> {
    let names: Vec<String> = names.iter().filter(|name| !name.is_empty()).cloned().collect();
    let mut peers = peers::known(&names)?;
    for peer in &mut peers {
        peer.prepare(server).await;
    }
    Ok(peers)
}
