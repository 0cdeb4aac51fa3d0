//! What every command has at hand: where the team lives, the user's secrets, how to answer, and the wish to stop.

use service::telemetry::{self, Format};
use service::{Redaction, Shutdown};

use crate::args::Global;
use crate::error::CliError;
use crate::home::Home;
use crate::keys::Keys;

/// The surroundings of a command.
#[derive(Debug)]
pub struct Context {
    /// The team's folder.
    pub home: Home,
    /// Whether answers are JSON.
    pub json: bool,
    /// Ctrl-C and SIGTERM.
    pub shutdown: Shutdown,
    /// Hides secrets in what is said.
    pub redaction: Redaction,
    secrets: Option<String>,
}

impl Context {
    /// Starts the log (warnings alone, unless LOG says more) and listens for signals.
    pub fn new(global: Global) -> Result<Context, CliError> {
        let log = global.log.filter(|log| !log.trim().is_empty()).unwrap_or_else(|| "warn".to_owned());
        let redaction = telemetry::init("codeteam", Format::Human, Some(&log))
            .map_err(|error| CliError::Usage(service::exit::one_line(&error)))?;
        service::tls::install_default();
        Ok(Context {
            home: Home::choose(global.home.as_deref())?,
            json: global.json,
            shutdown: Shutdown::listen().map_err(CliError::system("listen for signals"))?,
            redaction,
            secrets: global.secrets,
        })
    }

    /// Reads the user's secrets, which from then on are hidden in all output.
    pub fn keys(&self) -> Result<Keys, CliError> {
        Keys::open(self.secrets.as_deref(), &self.redaction)
    }

    /// Does `work` unless somebody interrupts it first, which drops it.
    pub async fn unless_interrupted<T>(
        &self,
        work: impl Future<Output = Result<T, CliError>>,
    ) -> Result<T, CliError> {
        tokio::select! {
            biased;
            () = self.shutdown.token().cancelled() => Err(CliError::Interrupted),
            done = work => done,
        }
    }
}
