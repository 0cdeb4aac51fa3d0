//! Where the system keeps its PostgreSQL server: distributions rarely put it on the PATH.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::EmbeddedError;

/// An installed server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// The folder that holds `postgres` and `initdb`.
    pub dir: PathBuf,
    /// The major version, for example 17.
    pub major: u32,
}

impl Binaries {
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// The server to use: the first on the PATH, else what `pg_config` names, else the newest in the folders of the
/// distributions. Runs `postgres --version`, so it may block for some milliseconds.
///
/// Fails with [`EmbeddedError::NotInstalled`].
pub fn find() -> Result<Binaries, EmbeddedError> {
    installed().next().ok_or(EmbeddedError::NotInstalled)
}

/// The first server of this major version, in the same order.
pub(crate) fn find_major(major: u32) -> Option<Binaries> {
    installed().find(|binaries| binaries.major == major)
}

fn installed() -> impl Iterator<Item = Binaries> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    candidates(&path, Path::new("/")).into_iter().filter_map(|dir| {
        let major = version(&dir.join("postgres"))?;
        Some(Binaries { dir, major })
    })
}

/// The folders that hold both programs, best first. `root` is `/` but in tests.
fn candidates(path: &OsStr, root: &Path) -> Vec<PathBuf> {
    let on_path: Vec<PathBuf> = std::env::split_paths(path).filter(|dir| dir.is_absolute()).collect();
    let mut dirs = on_path.clone();
    dirs.extend(on_path.iter().filter_map(|dir| pg_config(&dir.join("pg_config"))));
    // Debian and Ubuntu; the PostgreSQL project's own packages for Fedora; Alpine; from source; Homebrew.
    dirs.extend(newest_first(&root.join("usr/lib/postgresql"), ""));
    dirs.extend(newest_first(&root.join("usr"), "pgsql-"));
    dirs.extend(newest_first(&root.join("usr/libexec"), "postgresql"));
    dirs.extend(["usr/local/pgsql/bin", "usr/local/bin", "usr/bin"].map(|dir| root.join(dir)));
    dirs.extend(newest_first(&root.join("opt/homebrew/opt"), "postgresql@"));
    dirs.extend(newest_first(&root.join("usr/local/opt"), "postgresql@"));
    dirs.push(root.join("Applications/Postgres.app/Contents/Versions/latest/bin"));
    let mut seen = Vec::new();
    for dir in dirs {
        if !seen.contains(&dir) && is_program(&dir.join("postgres")) && is_program(&dir.join("initdb")) {
            seen.push(dir);
        }
    }
    seen
}

/// `parent/{prefix}{number}/bin` (or without `bin`, as Alpine has it), highest number first.
fn newest_first(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let number = entry.file_name().to_str()?.strip_prefix(prefix)?.split('.').next()?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().flat_map(|(_, dir)| [dir.join("bin"), dir]).collect()
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

fn pg_config(program: &Path) -> Option<PathBuf> {
    is_program(program).then(|| output(program, "--bindir")).flatten().map(|dir| PathBuf::from(dir.trim()))
}

fn version(postgres: &Path) -> Option<u32> {
    major(&output(postgres, "--version")?)
}

fn output(program: &Path, argument: &str) -> Option<String> {
    let output =
        Command::new(program).arg(argument).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).ok()).flatten()
}

/// 15 of `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)`, 19 of `... 19beta1`.
fn major(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL) ")?.1;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(dir: &Path) {
        std::fs::create_dir_all(dir).unwrap();
        for program in ["postgres", "initdb"] {
            std::fs::write(dir.join(program), "").unwrap();
            std::fs::set_permissions(dir.join(program), PermissionsExt::from_mode(0o755)).unwrap();
        }
    }

    #[test]
    fn the_path_comes_first_and_then_the_newest_version_by_number() {
        let root = tempfile::tempdir().unwrap();
        let on_path = root.path().join("my/bin");
        let packaged = root.path().join("usr/lib/postgresql");
        for dir in [&on_path, &packaged.join("9.6/bin"), &packaged.join("17/bin"), &packaged.join("16/bin")] {
            install(dir);
        }
        let found = candidates(on_path.as_os_str(), root.path());
        assert_eq!(
            found,
            [on_path, packaged.join("17/bin"), packaged.join("16/bin"), packaged.join("9.6/bin")]
        );
    }

    #[test]
    fn a_client_without_a_server_does_not_count() {
        let root = tempfile::tempdir().unwrap();
        let bin = root.path().join("usr/bin");
        install(&bin);
        std::fs::remove_file(bin.join("initdb")).unwrap();
        assert_eq!(candidates(OsStr::new(""), root.path()), [] as [PathBuf; 0]);
    }

    #[test]
    fn versions_are_read_as_the_packagers_write_them() {
        assert_eq!(major("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(major("something else"), None);
    }

    #[test]
    fn without_a_server_the_sentence_says_what_to_install() {
        let message = EmbeddedError::NotInstalled.to_string();
        for command in ["apt-get install", "dnf install", "brew install"] {
            assert!(message.contains(command), "{message}");
        }
    }
}
