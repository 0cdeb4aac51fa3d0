//! The worker: sleeps on the doorbell, claims a job, runs the agent on it in a sandbox, delivers what came of it.
//!
//! What may surprise: the same executable is also the sandbox's launcher (see `sandbox::launch`), so the first thing that
//! `main` does is to see which of the two it is.

mod attempt;
mod deliver;
mod end;
mod github;
mod health;
mod kind;
mod lease;
#[cfg(test)]
mod manual;
mod model;
mod ports;
mod prepare;
mod protection;
mod pulse;
mod scratch;
mod settings;
mod setup;
mod shift;
mod stop;
mod worker;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use domain::WorkerId;
use service::{ExposeSecret, Keyring, Name, Redaction, Secrets, exit, telemetry};

use crate::protection::Protection;
use crate::pulse::Pulse;
use crate::settings::Settings;
use crate::worker::Worker;

fn main() -> ExitCode {
    let first = std::env::args_os().nth(1);
    if first.as_deref() == Some(sandbox::LAUNCHER_ARGUMENT.as_ref()) {
        return sandbox::launch();
    }
    if first.as_deref() == Some("sandbox-check".as_ref()) {
        return sandbox_check();
    }
    if first.as_deref() == Some("health".as_ref()) {
        return health::main(std::env::args_os().skip(1));
    }
    let settings = Settings::parse();
    let redaction = match telemetry::init("worker", telemetry::Format::Auto, settings.log.as_deref()) {
        Ok(redaction) => redaction,
        Err(error) => return complain(&error),
    };
    match in_runtime(run(settings, redaction)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", exit::one_line(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn in_runtime(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the runtime does not start")?
        .block_on(work)
}

async fn run(settings: Settings, redaction: Redaction) -> anyhow::Result<()> {
    let keyring = Keyring::new(Secrets::open(&settings.secrets)?, redaction.clone());
    service::tls::install_default();
    let stop = stop::Stop::listen(settings.retire_on_stdin_close)?;
    let protection = Protection::new(&settings.protection)?;
    let work_dir = scratch::WorkDir::open(settings.work_dir.as_deref())?;
    let confinement = sandbox::Sandbox::start(
        settings.sandbox(work_dir.root()).context("the secrets' full path is unknown")?,
    )
    .await?;
    let models = settings.model.open(&keyring)?;
    let url = keyring.require(Name::DatabaseUrl)?;
    let config =
        store::Config::parse(url.expose_secret(), concat!("codeteam worker ", env!("CARGO_PKG_VERSION")))?
            .renewed_by(keyring.renewal(Name::DatabaseUrl));
    let database = Arc::new(store::Database::open_to_listen(config).await?);
    let worker = Worker {
        id: WorkerId(settings.worker_id.unwrap_or_else(uuid::Uuid::new_v4)),
        database,
        sandbox: confinement,
        models,
        github: settings.github.app(&keyring, &redaction)?,
        redaction,
        pulse: Pulse::new(settings.pulse.path()),
        settings,
        work_dir,
        stop,
    };
    worker.work(protection).await
}

/// Says which level the sandbox reaches here, or why it refuses; for `codeteam doctor` and for people.
#[allow(clippy::print_stdout)] // it is the answer
fn sandbox_check() -> ExitCode {
    let started = in_runtime(async {
        let sandbox = sandbox::Sandbox::start(sandbox::Settings::default()).await?;
        println!("{}", sandbox.level().name());
        Ok(())
    });
    match started {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(error.as_ref()),
    }
}

#[allow(clippy::print_stderr)] // there is no log yet
fn complain(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    eprintln!("worker: {}", exit::one_line(error));
    ExitCode::FAILURE
}
