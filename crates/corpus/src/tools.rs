//! Whether the programs that a case's tests call are there for commands of strangers.
//!
//! Such commands have another home, so a manager of toolchains that looks into the home finds none: the compiler itself is
//! put before it. And under root they run as somebody else, who passes through no folder that is closed to others.

use std::env::{join_paths, split_paths};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{AccessFlags, access};

/// The search path with which commands find what is on this machine: `path`, and before it the folder of the Rust
/// compiler that stands behind `rustc`.
pub fn path_for_commands(path: Option<OsString>) -> OsString {
    let path = path.unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let compiler = sysroot().map(|root| root.join("bin")).filter(|bin| bin.join("rustc").is_file());
    join_paths(compiler.into_iter().chain(split_paths(&path))).unwrap_or(path)
}

/// Where the Rust compiler has its parts, if there is one.
pub fn sysroot() -> Option<PathBuf> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).stdin(Stdio::null()).output().ok()?;
    let root = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(PathBuf::from(root.trim()))
}

/// Those of `needs` that commands would not find on `path`. `as_root`: whether their worker runs as root.
pub fn missing(needs: &[String], path: &OsString, as_root: bool) -> Vec<String> {
    let folders: Vec<PathBuf> = split_paths(path).collect();
    let there = |name: &&String| !folders.iter().any(|folder| is_usable(&folder.join(name), as_root));
    needs.iter().filter(there).cloned().collect()
}

/// Whether a command may execute the file.
fn is_usable(program: &Path, as_root: bool) -> bool {
    let Ok(file) = program.canonicalize() else { return false };
    if !file.is_file() {
        return false;
    }
    match as_root {
        // Root itself may pass everywhere. Both the way as it is written and the one that links lead must be open to others.
        true => is_open(&file) && [program, &file].iter().all(|way| way.ancestors().skip(1).all(is_open)),
        false => access(&file, AccessFlags::X_OK).is_ok(),
    }
}

/// Whether others may execute a file, or pass through a folder.
fn is_open(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.metadata().is_ok_and(|found| found.permissions().mode() & 0o001 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(folder: &Path, mode: u32) {
        let path = folder.join("tool");
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_program_in_a_closed_folder_is_not_there_for_others() {
        let root = tempfile::tempdir().unwrap();
        let needs = ["tool".to_owned()];
        let path = root.path().as_os_str().to_owned();
        assert_eq!(missing(&needs, &path, false), needs, "there is none yet");
        program(root.path(), 0o755);
        assert!(missing(&needs, &path, false).is_empty());
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(missing(&needs, &path, true), needs);
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(missing(&needs, &path, true).is_empty());
    }

    #[test]
    fn a_file_that_nobody_may_execute_is_no_program() {
        let root = tempfile::tempdir().unwrap();
        program(root.path(), 0o644);
        assert_eq!(missing(&["tool".to_owned()], &root.path().into(), true), ["tool"]);
    }
}
