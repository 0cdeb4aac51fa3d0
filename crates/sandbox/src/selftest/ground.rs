//! What the self-test attacks: files, folders, a port and a socket, each shown to be within reach from outside.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::sandbox::foreign_uid;
use crate::{Level, Settings, adopt};

const CANARY: &str = "canary";

/// The files and the port that are attacked.
pub struct Ground {
    pub workspace: PathBuf,
    pub unreadable: Vec<PathBuf>,
    pub outside: PathBuf,
    pub create: Vec<PathBuf>,
    /// Of a service on this machine's localhost.
    pub port: u16,
    listener: TcpListener,
    pub service: Option<(UnixListener, PathBuf)>,
}

impl Ground {
    /// Makes them in the folder `place`.
    pub fn prepare(place: &Path, settings: &Settings, level: Level) -> std::io::Result<Ground> {
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
        let port = listener.local_addr()?.port();
        TcpStream::connect(listener.local_addr()?)?;
        listener.accept()?;
        listener.set_nonblocking(true)?;
        let mut unreadable = settings.hidden.clone();
        unreadable.push(secret);
        let service = if level == Level::Namespaces { service(&place.join("service"))? } else { None };
        let create = places_to_write(&place, level);
        Ok(Ground { workspace, unreadable, outside, create, port, listener, service })
    }

    /// What the probe left where it must leave nothing.
    pub fn inspect(&self) -> Vec<String> {
        let mut leaks = Vec::new();
        if fs::read(&self.outside).ok().as_deref() != Some(CANARY.as_bytes()) {
            leaks.push(format!("{} could be overwritten", self.outside.display()));
        }
        if self.listener.accept().is_ok() {
            leaks.push("a service on the host's localhost was reached".to_owned());
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
