//! The scaler: hears that a job came, decides how many workers should run, and sees to it.
//!
//! Its log goes to standard error. On standard output it tells whoever started it what goes wrong with the fleet, one JSON
//! object a line: `{"mishap": "a worker ended at once (...)", "stillborn": 2}`, where `stillborn` counts the workers in
//! a row that ended as soon as they were started, and is 0 while another is at work.

mod actuator;
#[expect(dead_code, reason = "ACTUATOR does not choose it yet")]
#[cfg_attr(not(test), expect(unused_imports))]
mod aws;
mod child;
mod last_words;
mod processes;
mod reconcile;
mod retention;
mod settings;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use service::{ExposeSecret, Name, Redaction, Secrets, Shutdown, exit, telemetry};
use store::{Config, Database, Doorbell, Topic};

use crate::processes::{Processes, Recipe};
use crate::reconcile::Reconciler;
use crate::settings::{ActuatorKind, Settings};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    let redaction = match telemetry::init("scaler", telemetry::Format::Auto, settings.log.as_deref()) {
        Ok(redaction) => redaction,
        Err(error) => return complain(&error),
    };
    match run(settings, &redaction).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", exit::one_line(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: Settings, redaction: &Redaction) -> anyhow::Result<()> {
    let secrets = Secrets::open(&settings.secrets)?;
    redaction.hide_all(&secrets);
    service::tls::install_default();
    let shutdown = Shutdown::listen()?;
    if settings.stop_on_stdin_close {
        let shutdown = shutdown.clone();
        service::leash::on_release(move || shutdown.request());
    }
    let url = secrets.require(Name::DatabaseUrl)?.expose_secret();
    let config = Config::parse(url, concat!("codeteam scaler ", env!("CARGO_PKG_VERSION")))?;
    let database = Arc::new(Database::open_to_listen(config).await?);
    let ActuatorKind::Processes = settings.actuator;
    let recipe = Recipe {
        program: worker_program(&settings)?,
        secrets: settings.worker_secrets.clone().unwrap_or_else(|| settings.secrets.clone()),
    };
    let stop = shutdown.token().clone();
    tokio::spawn(retention::run(database.clone(), settings.retention_days, stop.clone()));
    let reconciler = Reconciler {
        doorbell: Doorbell::new(database.clone(), Topic::Scaler, uuid::Uuid::new_v4()),
        database,
        born: tokio::time::Instant::now(),
        actuator: Processes::new(recipe),
        settings,
        stop,
        now: shutdown.now().clone(),
    };
    tracing::info!("watching the queue");
    Ok(reconciler.run().await?)
}

fn worker_program(settings: &Settings) -> anyhow::Result<PathBuf> {
    let program = match &settings.worker_program {
        Some(program) => program.clone(),
        None => {
            std::env::current_exe().context("this program's own place is not known")?.with_file_name("worker")
        }
    };
    anyhow::ensure!(
        program.is_file(),
        "there is no worker program at {}: build it, or name it with WORKER_PROGRAM",
        program.display()
    );
    Ok(program)
}

#[allow(clippy::print_stderr)] // there is no log yet
fn complain(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    eprintln!("scaler: {}", exit::one_line(error));
    ExitCode::FAILURE
}
