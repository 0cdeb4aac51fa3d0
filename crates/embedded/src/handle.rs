//! The handle by which the rest of the program holds its server.

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use crate::server::{self, Order, Started};
use crate::settings::PORT;
use crate::{EmbeddedError, Settings, Shutdown};

/// What handle and server thread both see.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// The server's process id; 0 while there is none.
    pub pid: AtomicU32,
    /// Nobody waits any more: stop as soon as possible.
    pub abandoned: AtomicBool,
}

/// A running server. Dropping it stops the server too; that blocks, usually for some ten milliseconds and at most
/// for about six seconds. [`Postgres::stop`] is kinder to a runtime and reports errors.
#[derive(Debug)]
pub struct Postgres {
    orders: Option<mpsc::Sender<Order>>,
    owner: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    started: Started,
}

impl Postgres {
    /// Starts a server on `settings.dir`, which is made and initialised when it is new, and waits until it takes
    /// connections: at most 60 s, and for a new folder at most 5 minutes more.
    ///
    /// Cancellation: dropping the future stops what was started. Every [`EmbeddedError`] is possible.
    pub async fn start(settings: Settings) -> Result<Postgres, EmbeddedError> {
        let (orders, inbox) = mpsc::channel();
        let (report, started) = oneshot::channel();
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        // The kernel ties the server to the thread that spawned it, so that thread must live as long: a thread of
        // a runtime's pool may end at any time.
        let owner = thread::Builder::new()
            .name("postgres-owner".into())
            .spawn(move || server::own(settings, &theirs, &inbox, report))
            .map_err(EmbeddedError::Thread)?;
        let mut postgres =
            Postgres { orders: Some(orders), owner: Some(owner), shared, started: Started::default() };
        postgres.started = started.await.map_err(|_| EmbeddedError::OwnerGone)??;
        Ok(postgres)
    }

    /// Where to connect as `role` to `database`: a URL that tokio-postgres and libpq (`psql`) read. The superuser
    /// is `postgres`, and so is the first database.
    pub fn url(&self, role: &str, database: &str) -> String {
        let socket = self.started.socket.to_string_lossy();
        format!("postgresql://{}@/{}?host={}&port={PORT}", escape(role), escape(database), escape(&socket))
    }

    /// The server's process id; another one after a restart.
    pub fn pid(&self) -> u32 {
        self.shared.pid.load(Ordering::Relaxed)
    }

    /// The server's log.
    pub fn log(&self) -> &Path {
        &self.started.log
    }

    /// Stops the server and starts it again on the same data and under the same URL. A server that has ended by
    /// itself, or was killed, is started as well.
    ///
    /// Cancellation: the restart goes on. After an error the server is down, and may be restarted once more.
    pub async fn restart(&self, how: Shutdown) -> Result<(), EmbeddedError> {
        self.order(|reply| Order::Restart { how, reply }).await
    }

    /// Stops the server: by a fast shutdown, after 30 s by an immediate one, and after 7 more by SIGKILL. Leaves
    /// no process and no socket folder.
    ///
    /// Cancellation: the future holds the server, so dropping it is dropping the server.
    pub async fn stop(mut self) -> Result<(), EmbeddedError> {
        let stopped = self.order(|reply| Order::Stop { reply }).await;
        self.orders = None;
        stopped
    }

    async fn order(
        &self,
        order: impl FnOnce(oneshot::Sender<Result<(), EmbeddedError>>) -> Order,
    ) -> Result<(), EmbeddedError> {
        let (reply, done) = oneshot::channel();
        let orders = self.orders.as_ref().ok_or(EmbeddedError::OwnerGone)?;
        orders.send(order(reply)).map_err(|_| EmbeddedError::OwnerGone)?;
        done.await.map_err(|_| EmbeddedError::OwnerGone)?
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.shared.abandoned.store(true, Ordering::Relaxed);
        self.orders = None;
        if let Some(Err(_)) = self.owner.take().map(JoinHandle::join) {
            tracing::error!(
                "the thread that owned the server had panicked; the kernel has stopped the server"
            );
        }
    }
}

/// Percent-encodes everything that could mean something in a URL.
fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(byte.into()),
            // Writing to a String cannot fail.
            _ => _ = write!(escaped, "%{byte:02X}"),
        }
        escaped
    })
}
