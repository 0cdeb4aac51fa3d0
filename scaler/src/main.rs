//! The scaler: hears that a job came, decides how many workers should run, and sees to it.
//!
//! Its log goes to standard error. On standard output it tells whoever started it what goes wrong with the fleet, one JSON
//! object a line: `{"mishap": "a worker ended at once (...)", "stillborn": 2}`, where `stillborn` counts the workers in
//! a row that ended as soon as they were started, and is 0 while another is at work.

mod actuator;
mod aws;
mod chronicle;
mod ecs;
mod fleet;
mod leadership;
mod local;
mod look;
mod patience;
mod publish;
mod reconcile;
mod retention;
mod scribe;
mod settings;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use aws_client::Aws;
use clap::Parser;
use service::{ExposeSecret, Keyring, Name, Redaction, Secrets, Shutdown, exit, telemetry};
use store::{Config, Database, Doorbell, Topic};
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::actuator::Actuator;
use crate::aws::{Capacity, Habits};
use crate::chronicle::Chronicle;
use crate::ecs::Tasks;
use crate::leadership::Leadership;
use crate::local::{Processes, Recipe};
use crate::publish::Publisher;
use crate::reconcile::Reconciler;
use crate::scribe::Scribe;
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
    settings.check()?;
    let keyring = Keyring::new(Secrets::open(&settings.secrets)?, redaction.clone());
    service::tls::install_default();
    let shutdown = Shutdown::listen()?;
    if settings.stop_on_stdin_close {
        let shutdown = shutdown.clone();
        service::leash::on_release(move || shutdown.request());
    }
    let url = keyring.require(Name::DatabaseUrl)?;
    let config = Config::parse(url.expose_secret(), concat!("codeteam scaler ", env!("CARGO_PKG_VERSION")))?
        .renewed_by(keyring.renewal(Name::DatabaseUrl));
    let database = Arc::new(Database::open_to_listen(config.clone()).await?);
    let writing = Arc::new(Database::new(config));
    tokio::spawn(retention::run(writing.clone(), settings.retention_days, shutdown.token().clone()));
    let id = Uuid::new_v4();
    let place = Place {
        id,
        doorbell: Doorbell::new(database.clone(), Topic::Scaler, id),
        database,
        writing,
        shutdown,
    };
    match settings.actuator {
        ActuatorKind::Processes => {
            let recipe = Recipe {
                program: worker_program(&settings)?,
                secrets: settings.worker_secrets.clone().unwrap_or_else(|| settings.secrets.clone()),
            };
            place.scale(settings, Processes::new(recipe), None, watch::Sender::new(None)).await
        }
        ActuatorKind::Aws => place.scale_on_aws(settings).await,
    }
}

/// What both ways of scaling begin with.
struct Place {
    /// New for each run of the program.
    id: Uuid,
    /// For looking, listening and leading: nothing else is to hold this up.
    database: Arc<Database>,
    /// For all that is written down, counted and deleted.
    writing: Arc<Database>,
    doorbell: Doorbell,
    shutdown: Shutdown,
}

impl Place {
    async fn scale_on_aws(self, settings: Settings) -> anyhow::Result<()> {
        let aws = Aws::load(aws::PATIENCE).await?;
        let leadership = Leadership::new(self.database.clone(), self.id);
        let capacity = Capacity::start(&aws, settings.names()?, Habits::default(), leadership.permit());
        let looks = watch::Sender::new(None);
        if let Some(each) = settings.metrics_each() {
            let (database, epoch) = (self.writing.clone(), leadership.epoch());
            let heard = self.doorbell.heard();
            let publisher = Publisher::new(database, aws.clone(), self.id, epoch, looks.subscribe(), heard);
            tokio::spawn(publisher.run(each, self.shutdown.token().clone()));
        }
        self.scale(settings, Tasks::new(aws, capacity), Some(leadership), looks).await
    }

    async fn scale(
        self,
        settings: Settings,
        actuator: impl Actuator,
        leadership: Option<Leadership>,
        looks: watch::Sender<Option<look::Look>>,
    ) -> anyhow::Result<()> {
        let Place { id, database, writing, doorbell, shutdown } = self;
        let reconciler = Reconciler {
            doorbell,
            scribe: Scribe::start(Chronicle::new(writing, id), settings.job_sla()),
            database,
            settings,
            actuator,
            leadership,
            looks,
            born: Instant::now(),
            stop: shutdown.token().clone(),
            now: shutdown.now().clone(),
        };
        tracing::info!("watching the queue");
        Ok(reconciler.run().await?)
    }
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
