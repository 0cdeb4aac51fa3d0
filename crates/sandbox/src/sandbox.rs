//! The sandbox as its users see it: started once, proven, then asked to run commands.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::unistd::geteuid;

use crate::command::{Command, Connected, End, Finished};
use crate::network::{Hosts, Outlet};
use crate::run::{self, Conversation};
use crate::wire::{Report, Spec, Task};
use crate::{Level, SandboxError, Settings, adopt, environment, selftest, sockets};

/// The most bytes of a command: the kernel takes 131,072 for one argument.
const SHELL_BYTES: usize = 120_000;

/// A confinement that has been attacked and held. Cheap to clone; commands may run at the same time.
#[derive(Clone, Debug)]
pub struct Sandbox {
    settings: Arc<Settings>,
    level: Level,
    /// Why no command can be given a network.
    offline: Option<Arc<str>>,
}

impl Sandbox {
    /// Picks the strongest level that holds under attack, and makes this process non-dumpable.
    ///
    /// Takes some ten milliseconds. Errors: [`SandboxError::Refused`] when no level holds; the level's own error when
    /// [`Settings::level`] names one; [`SandboxError::Launcher`] and [`SandboxError::Silent`] when the launcher is amiss.
    pub async fn start(settings: Settings) -> Result<Sandbox, SandboxError> {
        let why = match &settings {
            Settings { uid: 0, .. } => Some("commands cannot run as user id 0: give another uid"),
            Settings { hidden, shown, .. } if hidden.iter().chain(shown).any(|path| !path.is_absolute()) => {
                Some("hidden and shown paths must be absolute")
            }
            _ => None,
        };
        if let Some(why) = why {
            return Err(SandboxError::Settings { why: why.to_owned() });
        }
        nix::sys::prctl::set_dumpable(false)
            .map_err(|error| SandboxError::io("make this process non-dumpable")(error.into()))?;
        let mut tried = Vec::new();
        for level in settings.level.map_or(Level::ALL.to_vec(), |level| vec![level]) {
            let error = match selftest::prove(&settings, level).await {
                Ok(offline) => {
                    tracing::info!(level = level.name(), offline, "the sandbox holds");
                    let offline = offline.map(Arc::from);
                    return Ok(Sandbox { settings: Arc::new(settings), level, offline });
                }
                Err(error @ (SandboxError::Launcher { .. } | SandboxError::Silent { .. })) => {
                    return Err(error);
                }
                Err(error) if settings.level.is_some() => return Err(error),
                Err(error) => error,
            };
            let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            tried.push(format!("{error}{cause}"));
        }
        Err(SandboxError::Refused { tried: tried.join("; ") })
    }

    /// The level that was reached.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Makes a prepared folder a workspace: when the caller is root, everything in it will belong to the commands' user.
    ///
    /// For folders that trusted code has filled. Files with several hard links become copies. Blocks on the disk.
    pub fn adopt(&self, dir: &Path) -> Result<(), SandboxError> {
        let Some(uid) = foreign_uid(&self.settings) else { return Ok(()) };
        adopt::adopt(dir, uid).map_err(SandboxError::io("hand the workspace to the commands' user"))
    }

    /// Runs a command to its end, and to the end of everything that it started.
    ///
    /// Dropping the future kills the command at once (its processes are gone a moment later). Errors mean that the
    /// command did not run, or that its result cannot be trusted.
    pub async fn run(&self, command: Command<'_>) -> Result<Finished, SandboxError> {
        self.carry_out(command, None).await
    }

    /// Runs a command that may reach these hosts by HTTP and HTTPS, through a proxy in this process that the variables of its
    /// environment name (`https_proxy` and its kin). It is confined in every other way; nothing secret may lie in its
    /// workspace, because what it reads it can send. Addresses that are not public are refused, see [`Hosts`], and
    /// those of credentials and metadata always. Below [`Level::Namespaces`] its programs have no other sockets, their own
    /// localhost included.
    ///
    /// Errors: as [`Sandbox::run`]; [`SandboxError::Offline`] when this machine has no way to give it that network alone.
    pub async fn run_connected(
        &self,
        command: Command<'_>,
        hosts: &Hosts,
    ) -> Result<Connected, SandboxError> {
        if let Some(why) = &self.offline {
            return Err(SandboxError::Offline { level: self.level, why: why.to_string() });
        }
        let mut outlet = Outlet::new(hosts.clone());
        let finished = self.carry_out(command, Some(&mut outlet)).await?;
        Ok(Connected { finished, refused: outlet.close().await })
    }

    async fn carry_out(
        &self,
        command: Command<'_>,
        outlet: Option<&mut Outlet>,
    ) -> Result<Finished, SandboxError> {
        check(&command)?;
        let dir = workspace(command.dir, self.level, &self.settings)?;
        let task = Task::Shell(command.shell.to_owned());
        let spec =
            Spec { connected: outlet.is_some(), ..spec(&self.settings, self.level, dir, task, command.env)? };
        let Conversation { reports, stopped, capture, elapsed } =
            run::converse(&self.settings.launcher, &spec, command.timeout, command.output_limit, outlet)
                .await?;
        let end = match (stopped, reports.into_iter().next()) {
            (Some(end), _) => end,
            (None, Some(Report::Exited(code))) => End::Exited(code),
            (None, Some(Report::Signalled(signal))) => End::Signalled(signal),
            (None, Some(Report::Overfull)) => End::Overfull,
            (None, Some(Report::Failed(why))) => return Err(SandboxError::Setup { level: self.level, why }),
            (None, Some(Report::Probed(_)) | None) => {
                return Err(SandboxError::Silent { program: self.settings.launcher.program.clone() });
            }
        };
        Ok(Finished { end, output_bytes: capture.total(), output: capture.text(), elapsed })
    }
}

/// The user id that commands get instead of the caller's.
pub(crate) fn foreign_uid(settings: &Settings) -> Option<u32> {
    geteuid().is_root().then_some(settings.uid)
}

/// What the launcher is told.
pub(crate) fn spec(
    settings: &Settings,
    level: Level,
    dir: PathBuf,
    task: Task,
    extra: &[(String, String)],
) -> Result<Spec, SandboxError> {
    let mut hidden = settings.hidden.clone();
    if level == Level::Namespaces {
        // Not by the launcher, whose network namespace is new and knows no socket.
        hidden.extend(sockets::within_reach(&dir, settings)?);
    }
    Ok(Spec {
        level,
        task,
        dir,
        env: environment::of_command(|name| std::env::var_os(name), extra),
        hidden,
        shown: settings.shown.clone(),
        limits: settings.limits,
        connected: false,
        uid: foreign_uid(settings),
        scratch: std::env::temp_dir(),
        caller: std::process::id().cast_signed(),
    })
}

fn check(command: &Command<'_>) -> Result<(), SandboxError> {
    let wrong = |why: String| Err(SandboxError::Command { why });
    if command.shell.len() > SHELL_BYTES {
        let bytes = command.shell.len();
        return wrong(format!("it has {bytes} bytes, at most {SHELL_BYTES} are taken: put it into a file"));
    }
    if command.shell.contains('\0') {
        return wrong("it holds a NUL byte, which no shell takes: remove it".to_owned());
    }
    for (name, value) in command.env {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return wrong(format!("{name:?} is no variable: give a name without '=', and no NUL bytes"));
        }
    }
    Ok(())
}

/// The canonical path of a folder that may become writable.
fn workspace(dir: &Path, level: Level, settings: &Settings) -> Result<PathBuf, SandboxError> {
    let wrong = |why: &str| SandboxError::Workspace { dir: dir.to_owned(), why: why.to_owned() };
    let path = dir.canonicalize().map_err(|error| wrong(&error.to_string()))?;
    if !path.is_dir() {
        return Err(wrong("it is no folder: give the folder that the command works in"));
    }
    let system =
        ["/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/opt", "/root", "/run", "/tmp", "/usr", "/var"];
    if path.parent().is_none()
        || system.iter().any(|place| path == Path::new(place))
        || ["/proc", "/sys"].iter().any(|place| path.starts_with(place))
    {
        return Err(wrong("it is a part of the system: give a folder made for the job"));
    }
    if level != Level::Namespaces && settings.hidden.iter().any(|hidden| hidden.starts_with(&path)) {
        return Err(wrong(&format!(
            "a hidden path lies in it, which the level {level} cannot hide: move it out"
        )));
    }
    Ok(path)
}
