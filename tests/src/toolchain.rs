//! A Rust compiler that commands of strangers can run.
//!
//! Under root they run as somebody else, who cannot pass through root's home, where a toolchain often is. Hard links to it in the
//! build folder cost nothing and can be reached; where links cannot be made, cases that need the compiler are left out.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Team, program};

/// The search path for workers whose commands call `rustc`, and what of it is to be shown to them, wherever it lies.
pub fn path_for_commands() -> (OsString, Vec<PathBuf>) {
    let path = corpus::path_for_commands(std::env::var_os("PATH"));
    let compiler = ["rustc".to_owned()];
    if corpus::missing(&compiler, &path, Team::is_root()).is_empty() {
        return (path, corpus::sysroot().into_iter().collect());
    }
    let Some(linked) = corpus::sysroot().and_then(|root| link(&root)) else { return (path, Vec::new()) };
    let folders = std::iter::once(linked.join("bin")).chain(std::env::split_paths(&path));
    (std::env::join_paths(folders).unwrap_or(path), vec![linked])
}

/// Links the compiler and its libraries into the build folder, once.
fn link(root: &Path) -> Option<PathBuf> {
    let build = program("worker").parent()?.parent()?.to_owned();
    let (place, fresh) =
        (build.join("toolchain-for-commands"), build.join(format!("toolchain-{}", std::process::id())));
    if !place.join("bin/rustc").exists() {
        std::fs::create_dir_all(fresh.join("bin")).ok()?;
        let copy = |from: &str, to: &str| {
            let arguments = ["-al".into(), root.join(from).into_os_string(), fresh.join(to).into_os_string()];
            let copy = Command::new("cp").args::<_, OsString>(arguments).stderr(Stdio::null()).status();
            copy.is_ok_and(|status| status.success())
        };
        let is_linked = copy("lib", "lib") && copy("bin/rustc", "bin/rustc");
        // Another process may have been first; a half one is no use.
        if !is_linked || std::fs::rename(&fresh, &place).is_err() {
            _ = std::fs::remove_dir_all(&fresh);
        }
    }
    place.join("bin/rustc").exists().then_some(place)
}
