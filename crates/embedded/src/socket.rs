//! Where the socket lives: beside the data, or, where that path is too long for a socket, in a short private folder.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::EmbeddedError;
use crate::account::Account;
use crate::settings::PORT;

/// What a socket's path may have in bytes: `sun_path` less its final NUL.
const LONGEST: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The private folder for the socket of `dir`, made and emptied of what a killed server left in it.
///
/// Must be called only while no server runs on `dir`.
pub(crate) fn prepare(dir: &Path, account: &Account) -> Result<PathBuf, EmbeddedError> {
    let folder = choose(dir, account, std::env::var_os("XDG_RUNTIME_DIR").as_deref());
    let failed = |doing| {
        let (path, user) = (folder.clone(), account.name());
        move |source| EmbeddedError::Folder { doing, path, user, source }
    };
    match DirBuilder::new().mode(0o700).create(&folder) {
        Ok(()) => account.own(&folder).map_err(failed("hand over"))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let refused = |why| Err(EmbeddedError::SocketFolder { path: folder.clone(), why });
            let found = fs::symlink_metadata(&folder).map_err(failed("look at"))?;
            if !found.is_dir() {
                return refused("is not a folder");
            }
            if found.uid() != account.uid {
                return refused("belongs to somebody else");
            }
            if found.mode() & 0o077 != 0 {
                return refused("is open to others");
            }
            clear(&folder).map_err(failed("clear"))?;
        }
        Err(error) => return Err(failed("make")(error)),
    }
    Ok(folder)
}

/// Removes the folder and what a server leaves in it.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    clear(folder)?;
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn clear(folder: &Path) -> io::Result<()> {
    for name in [socket_name(), format!("{}.lock", socket_name())] {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn socket_name() -> String {
    format!(".s.PGSQL.{PORT}")
}

fn choose(dir: &Path, account: &Account, runtime_dir: Option<&OsStr>) -> PathBuf {
    let beside = dir.join("socket");
    if fits(&beside) && plain(&beside) {
        return beside;
    }
    // The name follows from folder and user, so that the next start finds, and clears, what a killed one left.
    let name = format!("codeteam-{:016x}", hash(dir.as_os_str().as_bytes(), account.uid));
    let runtime_dir = runtime_dir.map(Path::new).filter(|base| {
        let private = !account.stand_in
            && fs::metadata(base).is_ok_and(|base| base.is_dir() && base.uid() == account.uid);
        private && base.is_absolute() && plain(base) && fits(&base.join(&name))
    });
    runtime_dir.unwrap_or(Path::new("/tmp")).join(name)
}

fn fits(folder: &Path) -> bool {
    folder.join(socket_name()).as_os_str().len() <= LONGEST
}

/// Whether the path reads the same in a URL and in `unix_socket_directories`, a list with commas and quotes.
fn plain(path: &Path) -> bool {
    path.as_os_str().as_bytes().iter().all(|&byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
}

/// FNV-1a: the standard library's hashes may change between releases, and this one names a folder.
fn hash(path: &[u8], uid: u32) -> u64 {
    path.iter().chain(&uid.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Account {
        Account {
            uid: nix::unistd::geteuid().as_raw(),
            gid: nix::unistd::getegid().as_raw(),
            stand_in: false,
        }
    }

    #[test]
    fn a_socket_lives_beside_its_data_where_its_path_fits() {
        let room = LONGEST - "/socket/.s.PGSQL.5432".len();
        let fitting = PathBuf::from(format!("/{}", "d".repeat(room - 1)));
        assert_eq!(choose(&fitting, &me(), None), fitting.join("socket"));
        let deep = PathBuf::from(format!("/{}", "d".repeat(room)));
        assert!(choose(&deep, &me(), None).starts_with("/tmp"));
    }

    #[test]
    fn a_deep_folder_uses_the_users_runtime_folder_and_always_the_same_name() {
        let base = tempfile::tempdir().unwrap();
        let deep = PathBuf::from("/d".repeat(100));
        let chosen = choose(&deep, &me(), Some(base.path().as_os_str()));
        assert!(chosen.starts_with(base.path()), "{chosen:?}");
        assert_eq!(chosen, choose(&deep, &me(), Some(base.path().as_os_str())));
        assert_ne!(chosen, choose(&deep.join("other"), &me(), Some(base.path().as_os_str())));
    }

    #[test]
    fn a_folder_whose_name_a_url_would_have_to_escape_is_not_used_for_the_socket() {
        assert!(choose(Path::new("/home/a b, c"), &me(), None).starts_with("/tmp"));
    }

    #[test]
    fn a_folder_that_others_can_enter_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("socket")).unwrap();
        fs::set_permissions(dir.path().join("socket"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        let error = prepare(dir.path(), &me()).unwrap_err().to_string();
        assert!(error.contains("open to others: remove it"), "{error}");
    }
}
