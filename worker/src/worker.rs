//! What a worker has for as long as it lives.

use std::sync::Arc;

use domain::WorkerId;
use service::{Redaction, SecretString};
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
    /// None: no job that needs it can be done, and each says so.
    pub key: Option<SecretString>,
    /// Hides the secrets' values wherever text leaves this process.
    pub redaction: Redaction,
    pub settings: Settings,
    pub work_dir: WorkDir,
    pub stop: Stop,
    pub pulse: Pulse,
}
