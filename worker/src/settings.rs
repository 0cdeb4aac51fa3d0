//! What a worker is told when it starts: flags, each with the same name in the environment. Secrets are none of them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use domain::{Caps, CapsOverride, Mode};

/// Takes jobs of one mode, one at a time.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Settings {
    /// Which jobs it takes: mechanic or genius.
    #[arg(long, env = "MODE")]
    pub mode: Mode,
    /// Its name in the database, when whoever starts it wants to know it [default: a new one].
    #[arg(long, env = "WORKER_ID")]
    pub worker_id: Option<uuid::Uuid>,
    /// The model for jobs that name none [default: the mode's own].
    #[arg(long, env = "MODEL")]
    model: Option<String>,
    /// Model calls of a job that sets no cap of its own [default: the mode's own].
    #[arg(long, env = "STEP_CAP", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    step_cap: Option<u32>,
    /// Tokens at full rate of a job that sets no cap of its own [default: the mode's own].
    #[arg(long, env = "TOKEN_CAP", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    token_cap: Option<u64>,
    /// Milliseconds from claim to delivery of a job that sets no cap of its own [default: the mode's own].
    #[arg(long, env = "TIME_LIMIT_MS", value_parser = clap::value_parser!(u64).range(1_000..=86_400_000))]
    time_limit_ms: Option<u64>,
    /// Where the secrets are: file:PATH.
    #[arg(long, env = "SECRETS")]
    pub secrets: String,
    /// Where Anthropic's protocol is spoken.
    #[arg(long, env = "ANTHROPIC_BASE_URL", default_value = models::DEFAULT_BASE_URL)]
    pub anthropic_base_url: String,
    /// The folder for checkouts [default: a new one in the system's temporary folder].
    #[arg(long, env = "WORK_DIR")]
    pub work_dir: Option<PathBuf>,
    /// A file or folder, beside the secrets, that commands must not see; may be given more than once.
    #[arg(long, env = "HIDDEN_PATHS", value_delimiter = ':')]
    hidden_paths: Vec<PathBuf>,
    /// Milliseconds that a step may go on after SIGTERM before it is cut off. Keep it below the platform's own limit.
    #[arg(long, env = "DRAIN_MS", default_value_t = 10_000)]
    drain_ms: u64,
    /// What is logged, as in LOG=info or LOG=warn,worker=debug.
    #[arg(long, env = "LOG")]
    pub log: Option<String>,
    /// Finish the job at hand and go when standard input closes: how a supervisor on the same machine scales in.
    #[arg(long)]
    pub retire_on_stdin_close: bool,
}

impl Settings {
    /// The name of the model for a job that names none.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref().filter(|name| !name.is_empty())
    }

    /// What a job may use: its own caps, else these settings', else the mode's.
    pub fn caps(&self, own: &CapsOverride) -> Caps {
        let ours = CapsOverride {
            step_cap: self.step_cap,
            token_cap: self.token_cap,
            time_limit_ms: self.time_limit_ms,
            cost_cap_micros: None,
        };
        Caps::of(self.mode).with(&ours).with(own)
    }

    pub fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }

    /// Commands see neither the secrets nor anything else that is named.
    pub fn sandbox(&self) -> sandbox::Settings {
        let mut settings = sandbox::Settings::default();
        let secrets = self.secrets.strip_prefix("file:").map(PathBuf::from);
        let named = secrets.into_iter().chain(self.hidden_paths.iter().cloned());
        settings.hidden.extend(named.filter_map(|path| std::path::absolute(path).ok()));
        settings
    }
}
