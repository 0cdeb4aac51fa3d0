//! The scaler's process: found beside this program, ends with it, and says what it costs the machine.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long it may take to end.
const END: Duration = Duration::from_secs(30);
/// /proc counts in these, on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

pub struct Program {
    child: Child,
    log: PathBuf,
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// Seconds of all its threads.
    pub cpu: f64,
    /// Resident memory in megabytes (10^6 bytes): now, at most so far, and now with what is shared counted in shares.
    pub resident: f64,
    pub peak: f64,
    pub proportional: f64,
}

impl Program {
    /// Starts it with this environment and no other.
    pub fn start(log: &Path, environment: &[(&str, String)]) -> anyhow::Result<Program> {
        let program = std::env::current_exe()?.with_file_name("scaler");
        ensure!(
            program.is_file(),
            "there is no scaler at {}: build it with the same profile first, as script/bench does",
            program.display()
        );
        let log_file = std::fs::File::create(log)?;
        let mut command = Command::new(program);
        command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log_file.try_clone()?).stderr(log_file).kill_on_drop(true);
        Ok(Program { child: command.spawn()?, log: log.to_owned() })
    }

    /// Does `work` while the program runs. An error: it has ended.
    pub async fn during<T>(&mut self, work: impl Future<Output = T>) -> anyhow::Result<T> {
        tokio::select! {
            done = work => Ok(done),
            status = self.child.wait() => bail!("the scaler ended with {}: {}", status?, self.last_words()),
        }
    }

    pub fn usage(&self) -> anyhow::Result<Usage> {
        let pid = self.child.id().context("the scaler has ended")?;
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))
        };
        usage(&read("stat")?, &read("status")?, &read("smaps_rollup")?)
            .context("/proc does not tell what the scaler uses")
    }

    /// Ends it as a deployment does.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).context("the scaler has ended")?;
        kill(Pid::from_raw(pid), Signal::SIGTERM)?;
        let status = timeout(END, self.child.wait()).await.context("the scaler does not end")??;
        ensure!(status.success(), "the scaler ended with {status}: {}", self.last_words());
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().last().unwrap_or("it said nothing").to_owned()
    }
}

fn usage(stat: &str, status: &str, smaps: &str) -> Option<Usage> {
    // The name stands in brackets, and may have blanks in it; user and system time are the 12th and 13th word behind.
    let mut words = stat.rsplit_once(") ")?.1.split_whitespace().skip(11);
    let mut ticks = || words.next()?.parse::<f64>().ok();
    let cpu = (ticks()? + ticks()?) / TICKS_PER_SECOND;
    Some(Usage {
        cpu,
        resident: megabytes(status, "VmRSS:")?,
        peak: megabytes(status, "VmHWM:")?,
        proportional: megabytes(smaps, "Pss:")?,
    })
}

/// From a line such as `Pss:   1234 kB`.
fn megabytes(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_uses_is_read_as_the_kernel_writes_it() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 900 0 3 0 120 30 5 6 20 0 4 0 99 1000 200";
        let status = "Name:\tscaler\nVmHWM:\t   20000 kB\nVmRSS:\t   10000 kB\n";
        let used = usage(stat, status, "5-7 ---p 0 00:00 0 [rollup]\nRss: 9 kB\nPss:   5000 kB\n").unwrap();
        assert_eq!(used, Usage { cpu: 1.5, resident: 10.24, peak: 20.48, proportional: 5.12 });
        assert_eq!(usage(stat, status, ""), None);
    }
}
