//! What a worker has for as long as it lives.

use std::sync::Arc;

use domain::WorkerId;
use forge::github::App;
use service::Redaction;
use store::Database;

use crate::pulse::Pulse;
use crate::scratch::WorkDir;
use crate::settings::Settings;
use crate::stop::Stop;

/// Shared by all that it does; nothing in it changes.
pub struct Worker {
    pub id: WorkerId,
    pub database: Arc<Database>,
    pub sandbox: sandbox::Sandbox,
    /// Whom it may ask; rate limits and what is known of providers in trouble hold for all of its jobs.
    pub models: models::Models,
    /// None: nothing is asked of GitHub but what git asks anywhere.
    pub github: Option<App>,
    /// Hides the secrets' values wherever text leaves this process.
    pub redaction: Redaction,
    pub settings: Settings,
    pub work_dir: WorkDir,
    pub stop: Stop,
    pub pulse: Pulse,
}
