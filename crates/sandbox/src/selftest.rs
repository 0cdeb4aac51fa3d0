//! The proof that a level holds: real attacks from inside, each with a control that shows that it would succeed outside.
//!
//! That a daemon dies needs no attack code here: [`run::converse`] fails when anything that holds the output outlives
//! the launcher, and the probe leaves a daemon that does.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::run::{self, Conversation};
use crate::sandbox::{foreign_uid, spec};
use crate::wire::{Probe, Report, Task};
use crate::{Level, SandboxError, Settings, adopt};

/// Far more than the milliseconds that it takes; a machine that needs longer cannot run jobs.
const TIMEOUT: Duration = Duration::from_secs(20);
const CANARY: &str = "canary";

/// Attacks `level` and returns an error that names every attack that succeeded.
pub async fn prove(settings: &Settings, level: Level) -> Result<(), SandboxError> {
    if level == Level::Seccomp && foreign_uid(settings).is_none() {
        let why = "it protects files by their owner, which takes root".to_owned();
        return Err(SandboxError::Setup { level, why });
    }
    let place = tempfile::Builder::new()
        .prefix("sandbox-selftest-")
        .tempdir()
        .map_err(SandboxError::io("make a folder for its self-test"))?;
    let ground =
        Ground::prepare(place.path(), settings, level).map_err(SandboxError::io("prepare its self-test"))?;
    let mut settings = Settings { hidden: ground.unreadable.clone(), ..settings.clone() };
    let mut unreadable = ground.unreadable.clone();
    if let Some((_, socket)) = &ground.service {
        // It must be hidden because it is one: nothing names it, and it lies in a folder that is in sight.
        settings.shown.extend(socket.parent().map(Path::to_owned));
        unreadable.push(socket.clone());
    }
    let probe = Probe {
        port: ground.port(),
        unreadable,
        overwrite: vec![ground.outside.clone()],
        create: ground.create.clone(),
    };
    let spec = spec(&settings, level, ground.workspace.clone(), Task::Probe(probe), &[])?;
    let Conversation { reports, stopped, .. } =
        run::converse(&settings.launcher, &spec, TIMEOUT, 10_000).await?;
    let mut leaks = ground.inspect();
    match reports.into_iter().next() {
        _ if stopped.is_some() => {
            return Err(SandboxError::Setup { level, why: "its self-test did not end".to_owned() });
        }
        Some(Report::Probed(more)) => leaks.extend(more),
        Some(Report::Failed(why)) => return Err(SandboxError::Setup { level, why }),
        Some(Report::Signalled(signal)) => {
            return Err(SandboxError::Setup { level, why: format!("signal {signal} ended its self-test") });
        }
        Some(Report::Exited(_)) | None => {
            return Err(SandboxError::Silent { program: settings.launcher.program.clone() });
        }
    }
    if leaks.is_empty() { Ok(()) } else { Err(SandboxError::Leaks { level, leaks }) }
}

/// The files and the port that are attacked.
struct Ground {
    workspace: PathBuf,
    unreadable: Vec<PathBuf>,
    outside: PathBuf,
    create: Vec<PathBuf>,
    listener: TcpListener,
    service: Option<(UnixListener, PathBuf)>,
}

impl Ground {
    fn prepare(place: &Path, settings: &Settings, level: Level) -> std::io::Result<Ground> {
        fs::set_permissions(place, fs::Permissions::from_mode(0o755))?;
        let place = place.canonicalize()?;
        let workspace = place.join("workspace");
        let outside = place.join("outside");
        fs::create_dir(&workspace)?;
        fs::write(&outside, CANARY)?;
        // A mount hides a readable file even inside the workspace. Without mounts, only files outside of it are hidden.
        let secret = if level == Level::Namespaces { workspace.join("secret") } else { place.join("secret") };
        fs::write(&secret, CANARY)?;
        if level != Level::Namespaces {
            fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
        }
        if let Some(uid) = foreign_uid(settings) {
            adopt::adopt(&workspace, uid)?;
        }
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        TcpStream::connect(listener.local_addr()?)?;
        let mut unreadable = settings.hidden.clone();
        unreadable.push(secret);
        let service = if level == Level::Namespaces { service(&place.join("service"))? } else { None };
        let create = places_to_write(&place, level);
        Ok(Ground { workspace, unreadable, outside, create, listener, service })
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().map_or(0, |address| address.port())
    }

    /// What the probe left where it must leave nothing.
    fn inspect(&self) -> Vec<String> {
        let mut leaks = Vec::new();
        if fs::read(&self.outside).ok().as_deref() != Some(CANARY.as_bytes()) {
            leaks.push(format!("{} could be overwritten", self.outside.display()));
        }
        for path in &self.create {
            if path.symlink_metadata().is_ok() {
                leaks.push(format!("{} could be created", path.display()));
                let _ = fs::remove_file(path);
            }
        }
        leaks
    }
}

/// A socket that answers everybody, in a folder that everybody may enter.
fn service(folder: &Path) -> std::io::Result<Option<(UnixListener, PathBuf)>> {
    let socket = folder.join("socket");
    fs::create_dir(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    let listener = match UnixListener::bind(&socket) {
        Ok(listener) => listener,
        // A temporary folder whose path is too long for a socket's.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => return Ok(None),
        Err(error) => return Err(error),
    };
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o777))?;
    UnixStream::connect(&socket)?;
    Ok(Some((listener, socket)))
}

/// Where the probe tries to leave a file: where this process works, lives and is installed, and where the system is.
fn places_to_write(place: &Path, level: Level) -> Vec<PathBuf> {
    let own = [
        std::env::var_os("HOME").map(PathBuf::from),
        std::env::current_dir().ok(),
        std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned)),
    ];
    let system = ["/", "/etc", "/usr", "/var/tmp", "/tmp"].map(PathBuf::from);
    let name = place.file_name().unwrap_or_default();
    let mut folders: Vec<PathBuf> =
        own.into_iter().flatten().chain(system).chain([place.to_owned()]).collect();
    folders.retain(|folder| match folder.metadata() {
        // Owners and modes are all that protects files here, and these do not protect: the level says so.
        Ok(meta) => {
            folder.is_absolute() && (level != Level::Seccomp || meta.permissions().mode() & 0o002 == 0)
        }
        Err(_) => false,
    });
    folders.iter().map(|folder| folder.join(name).with_extension("leak")).collect()
}
