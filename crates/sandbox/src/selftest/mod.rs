//! The proof that a level holds: real attacks from inside, each with a control that shows that it would succeed outside.
//!
//! They are made twice, without and with a network. That a daemon dies needs no attack code here: [`run::converse`] fails
//! when anything that holds the output outlives the launcher, and the probe leaves a daemon that does.

mod ground;
#[cfg(test)]
mod weakened;

use std::path::Path;
use std::time::Duration;

use crate::network::{Hosts, Outlet};
use crate::run::{self, Conversation};
use crate::sandbox::{foreign_uid, spec};
use crate::wire::{Probe, Report, Spec, Task};
use crate::{Level, SandboxError, Settings};
use ground::Ground;

/// Far more than the milliseconds that it takes; a machine that needs longer cannot run jobs.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Attacks `level`. Gives the reason why commands cannot be given a network, if they cannot; an error that names every
/// attack that succeeded, if one did.
pub async fn prove(settings: &Settings, level: Level) -> Result<Option<String>, SandboxError> {
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
        port: ground.port,
        unreadable,
        overwrite: vec![ground.outside.clone()],
        create: ground.create.clone(),
    };
    let offline = spec(&settings, level, ground.workspace.clone(), Task::Probe(probe), &[])?;
    let connected = Spec { connected: true, ..offline.clone() };
    attack(&settings, &ground, &offline, None).await?;
    // Everything that is public, at a port where the host listens: it must be refused for its address.
    let hosts = format!("*:{}", ground.port).parse::<Hosts>();
    let hosts = hosts.map_err(|why| SandboxError::Setup { level, why: why.to_string() })?;
    match attack(&settings, &ground, &connected, Some(&mut Outlet::new(hosts))).await {
        Ok(()) => Ok(None),
        Err(SandboxError::Setup { why, .. }) => Ok(Some(why)),
        Err(error) => Err(error),
    }
}

async fn attack(
    settings: &Settings,
    ground: &Ground,
    spec: &Spec,
    outlet: Option<&mut Outlet>,
) -> Result<(), SandboxError> {
    let level = spec.level;
    let Conversation { reports, stopped, .. } =
        run::converse(&settings.launcher, spec, TIMEOUT, 10_000, outlet).await?;
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
        Some(Report::Exited(_) | Report::Overfull) | None => {
            return Err(SandboxError::Silent { program: settings.launcher.program.clone() });
        }
    }
    if leaks.is_empty() { Ok(()) } else { Err(SandboxError::Leaks { level, leaks }) }
}
