//! What kind of server is wanted, and the command line that this makes of `postgres`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What to start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where data, log and socket live. Made when it is not there; must be empty or of an earlier start.
    pub dir: PathBuf,
    /// Whether commits survive a crash of the machine. False: no fsync and little memory, for tests.
    pub durable: bool,
    /// Connections at once, 4 to 262,143; three of them are kept for superusers.
    pub max_connections: u32,
    /// More settings of `postgresql.conf`, as name and value; they win over this crate's own, except for those
    /// that keep the server private (addresses, port, socket).
    pub extra: Vec<(String, String)>,
}

impl Settings {
    /// A server that keeps what it commits, with PostgreSQL's own default of 100 connections.
    pub fn durable(dir: impl Into<PathBuf>) -> Settings {
        Settings { dir: dir.into(), durable: true, max_connections: 100, extra: Vec::new() }
    }

    /// A quick server for tests: a crash of the machine may lose its data, a crash of the server does not.
    pub fn throwaway(dir: impl Into<PathBuf>) -> Settings {
        Settings { durable: false, ..Settings::durable(dir) }
    }

    pub(crate) fn arguments(&self, data: &Path, socket: &Path) -> Vec<OsString> {
        let mut options: Vec<(&str, String)> = vec![("max_connections", self.max_connections.to_string())];
        if !self.durable {
            // Nothing more: without synchronous commits or full pages, a server that is only killed loses data too.
            options.extend([("fsync", "off".to_owned()), ("shared_buffers", "32MB".to_owned())]);
        }
        options.extend(self.extra.iter().map(|(name, value)| (name.as_str(), value.clone())));
        options.extend(
            [
                ("listen_addresses", ""),
                ("port", PORT),
                ("unix_socket_permissions", "0700"),
                ("logging_collector", "off"),
            ]
            .map(|(name, value)| (name, value.to_owned())),
        );
        let mut arguments = vec![OsString::from("-D"), data.into(), "-k".into(), socket.into()];
        for (name, value) in options {
            arguments.extend(["-c".into(), format!("{name}={value}").into()]);
        }
        arguments
    }
}

/// The number in the socket's name. No port is opened; fixed, so that PGPORT in the environment changes nothing.
pub(crate) const PORT: &str = "5432";

/// How a server is brought down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Open transactions are rolled back and the data is left clean.
    Fast,
    /// As in a crash: everything ends at once, and the next start recovers.
    Immediate,
}
