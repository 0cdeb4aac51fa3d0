//! The thread that owns a server: it spawns it, carries out orders, and takes it down when nobody is left.

use std::path::PathBuf;
use std::process::Child;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::folder::Folder;
use crate::handle::Shared;
use crate::process::{self, Patience, halt};
use crate::{Binaries, EmbeddedError, Settings, Shutdown, initdb, log, pidfile, socket};

/// As long as `pg_ctl` waits.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long the children of a killed server may take to notice.
const CHILDREN_LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// What the handle may ask for.
#[derive(Debug)]
pub(crate) enum Order {
    Restart { how: Shutdown, reply: Reply },
    Stop { reply: Reply },
}

type Reply = oneshot::Sender<Result<(), EmbeddedError>>;

/// What a server that takes connections tells the handle.
#[derive(Debug, Default)]
pub(crate) struct Started {
    pub socket: PathBuf,
    pub log: PathBuf,
}

/// The thread's life. It ends when the server is stopped, or when it could not be started.
pub(crate) fn own(
    settings: Settings,
    shared: &Shared,
    orders: &mpsc::Receiver<Order>,
    report: oneshot::Sender<Result<Started, EmbeddedError>>,
) {
    let mut server = match Server::start(settings, shared) {
        Ok(server) => server,
        Err(error) => return tell(report, Err(error)),
    };
    tell(report, Ok(Started { socket: server.socket.clone(), log: server.folder.log() }));
    loop {
        match orders.recv() {
            Ok(Order::Restart { how, reply }) => {
                let restarted = server.halt(how, Patience::CALM).and_then(|()| server.launch());
                tell(reply, restarted);
            }
            Ok(Order::Stop { reply }) => {
                let stopped = server.halt(Shutdown::Fast, Patience::CALM);
                // The lock goes before the answer, so that who has the answer can start anew.
                drop(server);
                return tell(reply, stopped);
            }
            Err(mpsc::RecvError) => return,
        }
    }
}

/// A caller that no longer waits needs no answer.
fn tell<T>(reply: oneshot::Sender<T>, answer: T) {
    drop(reply.send(answer));
}

/// A server and its folder.
struct Server<'a> {
    settings: Settings,
    folder: Folder,
    binaries: Binaries,
    socket: PathBuf,
    child: Option<Child>,
    shared: &'a Shared,
}

impl<'a> Server<'a> {
    fn start(settings: Settings, shared: &'a Shared) -> Result<Server<'a>, EmbeddedError> {
        let folder = Folder::take(&settings.dir)?;
        let binaries = folder.binaries()?;
        log::rotate(&folder.log()).map_err(folder.failed("set the log aside in"))?;
        if !folder.has_data() {
            initdb::run(&folder, &binaries, settings.durable, shared)?;
        }
        let mut server = Server { settings, folder, binaries, socket: PathBuf::new(), child: None, shared };
        server.launch()?;
        Ok(server)
    }

    /// Starts the process and waits until it takes connections.
    fn launch(&mut self) -> Result<(), EmbeddedError> {
        self.socket = self.folder.make_ready()?;
        let start = Instant::now();
        loop {
            match self.attempt() {
                // The server was killed, and its children have not all noticed yet.
                Err(EmbeddedError::Ended { output, .. })
                    if output.contains("is still in use") && start.elapsed() < CHILDREN_LEAVE_WITHIN =>
                {
                    process::pause(Duration::from_millis(50));
                }
                ended => return ended,
            }
        }
    }

    fn attempt(&mut self) -> Result<(), EmbeddedError> {
        let Folder { account, dir, .. } = &self.folder;
        let path = self.folder.log();
        let output = log::open(&path).map_err(self.folder.failed("write the log in"))?;
        account.own(&path).map_err(self.folder.failed("hand over the log in"))?;
        let from = output.metadata().map(|log| log.len()).map_err(self.folder.failed("read the log in"))?;
        let program = self.binaries.program("postgres");
        let child = process::command(&program, account, dir, output)
            .map_err(self.folder.failed("write the log in"))?
            .args(self.settings.arguments(&self.folder.data(), &self.socket))
            .spawn()
            .map_err(|source| EmbeddedError::Spawn { program, user: account.name(), source })?;
        let child = self.child.insert(child);
        let start = Instant::now();
        loop {
            if let Some(status) = process::wait(child, Duration::from_millis(10)) {
                self.child = None;
                let output = log::tail(&path, from);
                return Err(EmbeddedError::Ended { status: status.to_string(), log: path, output });
            }
            let file = pidfile::read(&self.folder.data());
            if file.is_some_and(|file| file.ready && u32::try_from(file.pid) == Ok(child.id())) {
                self.shared.pid.store(child.id(), Ordering::Relaxed);
                tracing::info!(pid = child.id(), data = %self.folder.data().display(), "postgres takes connections");
                return Ok(());
            }
            let waited = start.elapsed();
            if waited > READY_WITHIN || self.shared.abandoned.load(Ordering::Relaxed) {
                let output = log::tail(&path, from);
                self.halt(Shutdown::Fast, Patience::SHORT)?;
                return Err(EmbeddedError::NotReady { waited, log: path, output });
            }
        }
    }

    fn halt(&mut self, how: Shutdown, patience: Patience) -> Result<(), EmbeddedError> {
        self.shared.pid.store(0, Ordering::Relaxed);
        self.child.take().map_or(Ok(()), |mut child| halt(&mut child, how, patience))
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.halt(Shutdown::Fast, Patience::SHORT) {
            tracing::error!(%error, "the server was left behind");
        }
        if !self.socket.as_os_str().is_empty()
            && let Err(error) = socket::remove(&self.socket)
        {
            tracing::warn!(%error, path = %self.socket.display(), "the socket folder was left behind");
        }
    }
}
