//! What a worker is told when it starts: flags, each with the same name in the environment. Secrets are none of them.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::Parser;
use domain::{Caps, CapsOverride, Mode};

use crate::{github, model, protection, pulse};

/// Takes jobs of one mode, one at a time.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Also: `worker health` says whether the worker of this container is alive (`worker health --help`), and \
        `worker sandbox-check` how well commands can be confined here."
)]
pub struct Settings {
    /// Which jobs it takes: mechanic or genius.
    #[arg(long, env = "MODE")]
    pub mode: Mode,
    /// Its name in the database, when whoever starts it wants to know it [default: a new one].
    #[arg(long, env = "WORKER_ID")]
    pub worker_id: Option<uuid::Uuid>,
    /// Model calls of a job that sets no cap of its own [default: the mode's own].
    #[arg(long, env = "STEP_CAP", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    step_cap: Option<u32>,
    /// Tokens at full rate of a job that sets no cap of its own [default: the mode's own].
    #[arg(long, env = "TOKEN_CAP", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    token_cap: Option<u64>,
    /// Milliseconds from claim to delivery of a job that sets no cap of its own [default: the mode's own].
    #[arg(long, env = "TIME_LIMIT_MS", value_parser = clap::value_parser!(u64).range(1_000..=86_400_000))]
    time_limit_ms: Option<u64>,
    /// Where the secrets are: file:PATH, or aws:PREFIX for AWS Secrets Manager.
    #[arg(long, env = "SECRETS")]
    pub secrets: String,
    #[command(flatten)]
    pub model: model::Settings,
    /// The folder for checkouts [default: a new one in the system's temporary folder].
    #[arg(long, env = "WORK_DIR")]
    pub work_dir: Option<PathBuf>,
    /// Files and folders, beside the secrets, that commands must not see: full paths, as a JSON array of strings.
    #[arg(long, env = "HIDDEN_PATHS", default_value = "[]")]
    hidden_paths: Paths,
    /// Files and folders that commands may read though they lie where commands see nothing, such as /tmp: full paths, as a JSON array of
    /// strings. For toolchains.
    #[arg(long, env = "SHOWN_PATHS", default_value = "[]")]
    shown_paths: Paths,
    /// What a job's set-up command may reach: * (every public address), names as in example.org or *.example.org, addresses as
    /// in 10.1.2.3 or 10.1.0.0/16 although they are not public, with commas between and perhaps :PORT behind each (else 80 and
    /// 443). Nothing, if empty.
    #[arg(long, env = "SETUP_HOSTS", default_value = "*")]
    pub setup_hosts: sandbox::Hosts,
    /// Megabytes of memory (2^20 bytes) of each process of a command.
    #[arg(long, env = "COMMAND_MEMORY_MB", default_value_t = 4_096, value_parser = clap::value_parser!(u64).range(64..=1_048_576))]
    command_memory_mb: u64,
    /// Processes and threads of a command.
    #[arg(long, env = "COMMAND_PROCESSES", default_value_t = 512, value_parser = clap::value_parser!(u64).range(16..=32_768))]
    command_processes: u64,
    /// Megabytes (2^20 bytes) that a job's checkout may hold while a command runs; a command that passes it is ended.
    #[arg(long, env = "COMMAND_DISK_MB", default_value_t = 10_240, value_parser = clap::value_parser!(u64).range(64..=16_777_216))]
    command_disk_mb: u64,
    /// Milliseconds that a step may go on after SIGTERM before it is cut off. Keep it below the platform's own limit.
    #[arg(long, env = "DRAIN_MS", default_value_t = 10_000)]
    drain_ms: u64,
    #[command(flatten)]
    pub github: github::Settings,
    #[command(flatten)]
    pub protection: protection::Settings,
    #[command(flatten)]
    pub pulse: pulse::Settings,
    /// What is logged, as in LOG=info or LOG=warn,worker=debug.
    #[arg(long, env = "LOG")]
    pub log: Option<String>,
    /// Finish the job at hand and go when standard input closes: how a supervisor on the same machine scales in.
    #[arg(long)]
    pub retire_on_stdin_close: bool,
}

impl Settings {
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

    /// Commands see neither the secrets, nor the jobs' checkouts in `work_dir` but their own, nor anything else that is
    /// named. Fails when the secrets' path is relative to a folder that is gone.
    pub fn sandbox(&self, work_dir: &Path) -> std::io::Result<sandbox::Settings> {
        let mut settings = sandbox::Settings::default();
        if let Some(secrets) = self.secrets.strip_prefix("file:") {
            settings.hidden.push(std::path::absolute(secrets)?);
        }
        settings.hidden.push(work_dir.to_owned());
        settings.limits = sandbox::Limits {
            memory: self.command_memory_mb << 20,
            processes: self.command_processes,
            disk: self.command_disk_mb << 20,
            ..settings.limits
        };
        settings.hidden.extend(self.hidden_paths.0.iter().cloned());
        settings.shown.extend(self.shown_paths.0.iter().cloned());
        Ok(settings)
    }
}

/// Paths in a variable. No character separates them: each could be part of a path, which would then not be hidden.
#[derive(Clone, Debug)]
struct Paths(Vec<PathBuf>);

impl FromStr for Paths {
    type Err = String;

    fn from_str(text: &str) -> Result<Paths, String> {
        const EXAMPLE: &str = r#"write a JSON array of full paths, as in ["/srv/keys","/srv/data"]"#;
        if text.is_empty() {
            return Ok(Paths(Vec::new()));
        }
        let paths: Vec<PathBuf> =
            serde_json::from_str(text).map_err(|error| format!("{error}: {EXAMPLE}"))?;
        match paths.iter().find(|path| !path.is_absolute()) {
            Some(relative) => Err(format!("{} is not a full path: {EXAMPLE}", relative.display())),
            None => Ok(Paths(paths)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(paths: &str) -> Result<Vec<PathBuf>, String> {
        let arguments =
            ["worker", "--mode", "mechanic", "--secrets", "file:/s.json", "--hidden-paths", paths];
        let settings = Settings::try_parse_from(arguments).map_err(|error| error.to_string())?;
        Ok(settings.sandbox(Path::new("/work")).map_err(|error| error.to_string())?.hidden)
    }

    #[test]
    fn secrets_all_checkouts_and_what_is_named_are_hidden() {
        let hidden = hidden(r#"["/a:b","/c d"]"#).unwrap();
        let expected = ["/s.json", "/work", "/a:b", "/c d"].map(PathBuf::from);
        assert!(hidden.ends_with(&expected), "{hidden:?}");
    }

    #[test]
    fn nothing_more_need_be_hidden() {
        for none in ["", "[]"] {
            assert!(hidden(none).unwrap().ends_with(&[PathBuf::from("/work")]));
        }
    }

    #[test]
    fn what_would_not_be_hidden_is_refused() {
        for wrong in ["/a:/b", r#"["a"]"#, r#"[""]"#, r#""/a""#] {
            let error = hidden(wrong).unwrap_err();
            assert!(error.contains("write a JSON array of full paths"), "{wrong}: {error}");
        }
    }
}
