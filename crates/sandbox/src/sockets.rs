//! The Unix sockets of the machine's services, which a network namespace does not cut off: whoever may write to the
//! file may connect, also through a read-only view. So those that a command would see are hidden from it.
//!
//! What may surprise: the kernel says under which name a socket was bound, and nothing else. A socket that was renamed
//! afterwards, or has a second name, is not found; nor is one that is bound while the command runs, nor one whose name
//! is relative to a folder that its process has left. Names that cannot be resolved are passed over.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use crate::launch::is_private;
use crate::{Level, SandboxError, Settings};

/// The most sockets that are hidden from one command. Each takes a mount, tens of microseconds.
const HIDDEN: usize = 1_000;
/// The most names that are looked up for one command, microseconds each.
const LOOKED_UP: usize = 100_000;

/// The sockets outside of the workspace `dir` that the view of [`Level::Namespaces`] would leave to a command.
pub fn within_reach(dir: &Path, settings: &Settings) -> Result<Vec<PathBuf>, SandboxError> {
    let names = bound()?;
    if names.len() > LOOKED_UP {
        return Err(too_many(names.len(), LOOKED_UP));
    }
    let real = |paths: &[PathBuf]| -> Vec<PathBuf> {
        paths.iter().filter_map(|path| path.canonicalize().ok()).collect()
    };
    let (hidden, shown) = (real(&settings.hidden), real(&settings.shown));
    let under = |path: &Path, folders: &[PathBuf]| folders.iter().any(|folder| path.starts_with(folder));
    let found: BTreeSet<PathBuf> = names
        .iter()
        .filter_map(|name| name.canonicalize().ok())
        .filter(|path| !path.starts_with(dir))
        // What is shown stays in sight although something private or hidden encloses it.
        .filter(|path| under(path, &shown) || !(is_private(path) || under(path, &hidden)))
        .filter(|path| path.metadata().is_ok_and(|meta| meta.file_type().is_socket()))
        .collect();
    if found.len() > HIDDEN {
        return Err(too_many(found.len(), HIDDEN));
    }
    Ok(found.into_iter().collect())
}

fn too_many(count: usize, most: usize) -> SandboxError {
    let why = format!(
        "{count} sockets of other programs would be in sight, at most {most} can be hidden: end the programs that hold \
         them, or keep them below /run or /tmp, which commands do not see"
    );
    SandboxError::Setup { level: Level::Namespaces, why }
}

/// One network namespace: the names that are bound in it, and the folders in which its processes are.
#[derive(Default)]
struct Network {
    names: Vec<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

/// The full names of all sockets in all network namespaces that this process may look into: a service in a container of
/// its own still binds its socket to a file. A relative name is tried in the folder of every process beside it.
fn bound() -> Result<BTreeSet<PathBuf>, SandboxError> {
    let own = Path::new("/proc/self");
    let table = fs::read(own.join("net/unix")).map_err(SandboxError::io(
        "read /proc/net/unix, which names the sockets that commands must not see",
    ))?;
    let mut networks: HashMap<PathBuf, Network> = HashMap::new();
    let name = fs::read_link(own.join("ns/net")).unwrap_or_default();
    networks.insert(name, Network { names: names(&table), ..Network::default() });
    for process in fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path()) {
        // Also fails for what is no process, and for processes of others.
        let Ok(name) = fs::read_link(process.join("ns/net")) else { continue };
        let network = networks.entry(name).or_insert_with(|| {
            let names = names(&fs::read(process.join("net/unix")).unwrap_or_default());
            Network { names, ..Network::default() }
        });
        network.folders.extend(fs::read_link(process.join("cwd")));
    }
    let mut all = BTreeSet::new();
    for Network { names, folders } in networks.into_values() {
        for name in names {
            if name.is_absolute() {
                all.insert(name);
            } else {
                all.extend(folders.iter().take(LOOKED_UP).map(|folder| folder.join(&name)));
            }
            if all.len() > LOOKED_UP {
                return Ok(all);
            }
        }
    }
    Ok(all)
}

/// The names in a table as `/proc/net/unix` has it.
fn names(table: &[u8]) -> Vec<PathBuf> {
    table.split(|byte| *byte == b'\n').skip(1).filter_map(name).collect()
}

/// Seven fields come before the name, which may hold spaces. `@` begins the name of a socket that is no file.
fn name(line: &[u8]) -> Option<PathBuf> {
    let mut rest = line;
    for _ in 0..7 {
        rest = rest.trim_ascii_start();
        rest = &rest[rest.iter().position(|byte| *byte == b' ')?..];
    }
    let name = rest.get(1..).filter(|name| !name.is_empty() && name[0] != b'@')?;
    Some(PathBuf::from(OsStr::from_bytes(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_with_their_spaces_and_without_those_that_are_no_files() {
        let table = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01   123 /home/me/my data/.s.PGSQL.5432\n\
            0000000000000000: 00000003 00000000 00000000 0001 03  1523\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 99999 @abstract\n\
            0000000000000000: 00000002 00000000 00000000 0002 01 99999 here\n";
        assert_eq!(names(table), [Path::new("/home/me/my data/.s.PGSQL.5432"), Path::new("here")]);
    }

    #[test]
    fn more_than_can_be_hidden_is_refused_with_a_way_out() {
        let error = too_many(1_001, HIDDEN).to_string();
        let expected = "the sandbox (level namespaces) could not be set up: 1001 sockets of other programs would be in sight, \
            at most 1000 can be hidden: end the programs that hold them, or keep them below /run or /tmp";
        assert!(error.starts_with(expected), "{error}");
    }
}
