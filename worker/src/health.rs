//! `worker health`: whether the worker in this container is alive, for the platform's health check.

use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::pulse::{self, Sign};

/// Says whether the worker of this container gave a sign of life lately: exit code 0 if so, 1 if not.
#[derive(Debug, Parser)]
#[command(name = "worker health", version)]
pub struct Settings {
    #[command(flatten)]
    pulse: pulse::Settings,
    /// Milliseconds after which a worker that gives no sign of life counts as hung, 3000 or more; it gives one every two seconds.
    #[arg(long, env = "PULSE_MAX_AGE_MS", default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(3_000..))]
    max_age_ms: u64,
}

/// The subcommand, from the program's arguments after its name.
#[allow(clippy::print_stdout, clippy::print_stderr)] // it is the answer
pub fn main(arguments: impl Iterator<Item = std::ffi::OsString>) -> ExitCode {
    let settings = Settings::parse_from(arguments);
    let path = settings.pulse.path();
    match judge(pulse::read(&path), &path, Duration::from_millis(settings.max_age_ms)) {
        Ok(sentence) => {
            println!("{sentence}");
            ExitCode::SUCCESS
        }
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

fn judge(read: std::io::Result<Sign>, path: &Path, bound: Duration) -> Result<String, String> {
    let path = path.display();
    match read {
        Ok(Sign { pid, age }) if age <= bound => Ok(format!(
            "healthy: the worker (process {pid}) gave a sign of life {:.1} s ago",
            age.as_secs_f64()
        )),
        Ok(Sign { pid, age }) => Err(format!(
            "unhealthy: the worker (process {pid}) has given no sign of life for {:.1} s, and {:.1} s are too long: replace it",
            age.as_secs_f64(),
            bound.as_secs_f64()
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(format!(
            "unhealthy: there is no {path}: the worker has not started, has ended, or has another PULSE_FILE"
        )),
        Err(error) => Err(format!("unhealthy: {path} cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_healthy_up_to_the_bound() {
        let bound = Duration::from_secs(60);
        let at = |ms| judge(Ok(Sign { pid: 7, age: Duration::from_millis(ms) }), Path::new("/p"), bound);
        assert_eq!(at(60_000).unwrap(), "healthy: the worker (process 7) gave a sign of life 60.0 s ago");
        assert!(at(60_001).unwrap_err().starts_with("unhealthy: the worker (process 7) has given no sign"));
    }

    #[test]
    fn no_pulse_is_no_health() {
        let error = |kind: ErrorKind| judge(Err(kind.into()), Path::new("/p"), Duration::ZERO).unwrap_err();
        assert!(error(ErrorKind::NotFound).contains("there is no /p: the worker has not started"));
        assert!(error(ErrorKind::PermissionDenied).starts_with("unhealthy: /p cannot be read"));
    }
}
