//! Limits and ids of the command.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Gid, Uid, fchown, geteuid, setgroups, setresgid, setresuid};

use super::sys;
use super::trouble::{During, Trouble};
use crate::Level;
use crate::wire::Spec;

/// Lowers the resource limits of this process and its descendants.
pub fn limit(spec: &Spec) -> Result<(), Trouble> {
    let limits = &spec.limits;
    let uid = spec.uid.unwrap_or(geteuid().as_raw());
    // The kernel counts per user id. A user namespace counts for itself; elsewhere, others may have the same id.
    let others = if spec.level == Level::Namespaces && spec.uid.is_none() { 0 } else { threads_of(uid) };
    let wanted = [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_NPROC, limits.processes.saturating_add(others)),
        (Resource::RLIMIT_DATA, limits.memory),
        (Resource::RLIMIT_FSIZE, limits.file_size),
        (Resource::RLIMIT_NOFILE, limits.open_files),
    ];
    for (resource, value) in wanted {
        let (_, hard) = getrlimit(resource).during("reading a resource limit")?;
        let value = value.min(hard);
        setrlimit(resource, value, value).during(&format!("setting {resource:?}"))?;
    }
    Ok(())
}

/// How many threads run with this user id, as far as this process can see.
fn threads_of(uid: u32) -> u64 {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit))
        .filter(|entry| entry.metadata().is_ok_and(|meta| meta.uid() == uid || meta.uid() == 0))
        .filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok())
        .filter(|status| field(status, "Uid:") == Some(u64::from(uid)))
        .filter_map(|status| field(&status, "Threads:"))
        .sum()
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Becomes the commands' user, if there is one, and gives up every capability.
pub fn drop_privileges(spec: &Spec) -> Result<(), Trouble> {
    if let Some(id) = spec.uid {
        let (uid, gid) = (Uid::from_raw(id), Gid::from_raw(id));
        // Programs that open /dev/stdout afresh may write to their own output only then.
        let _ = fchown(std::io::stdout(), Some(uid), Some(gid));
        setgroups(&[]).during("leaving root's groups")?;
        setresgid(gid, gid, gid).during("becoming the commands' group")?;
        setresuid(uid, uid, uid).during("becoming the commands' user")?;
    }
    sys::drop_capabilities().during("giving up capabilities")
}
