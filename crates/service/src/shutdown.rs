//! SIGTERM and SIGINT as cancellation tokens: the first means "finish what you hold", the second "now".
//!
//! What may surprise: from [`Shutdown::listen`] on, these signals never end the process by themselves, so `main`
//! must await the tokens and return.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What asked the program to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGTERM: a supervisor, a deploy, a scale-in.
    Terminate,
    /// SIGINT: a person's Ctrl-C.
    Interrupt,
}

impl fmt::Display for StopSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            StopSignal::Terminate => "SIGTERM",
            StopSignal::Interrupt => "SIGINT",
        })
    }
}

/// The program's wish to stop. Cheap to clone; all clones see the same.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    now: CancellationToken,
    signal: Arc<OnceLock<StopSignal>>,
}

impl Shutdown {
    /// Starts to listen, on the current runtime and for as long as that lives.
    ///
    /// Fails when the process cannot install signal handlers. Panics outside a tokio runtime.
    pub fn listen() -> io::Result<Shutdown> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = Shutdown::default();
        let heard = shutdown.clone();
        tokio::spawn(async move {
            loop {
                let signal = tokio::select! {
                    Some(()) = terminate.recv() => StopSignal::Terminate,
                    Some(()) = interrupt.recv() => StopSignal::Interrupt,
                    else => return,
                };
                heard.hear(signal);
            }
        });
        Ok(shutdown)
    }

    /// Cancelled at the first signal: take no new work, finish or hand back what is held.
    pub fn token(&self) -> &CancellationToken {
        &self.drain
    }

    /// Cancelled at the second signal: somebody is out of patience.
    pub fn now(&self) -> &CancellationToken {
        &self.now
    }

    /// The first signal; None before it, and when the program itself asked.
    pub fn signal(&self) -> Option<StopSignal> {
        self.signal.get().copied()
    }

    /// Asks for an orderly stop, as the first signal does. A signal after it means now.
    pub fn request(&self) {
        self.drain.cancel();
    }

    fn hear(&self, signal: StopSignal) {
        if self.drain.is_cancelled() {
            tracing::warn!(%signal, "told to stop once more: stopping now");
            self.now.cancel();
        } else {
            tracing::info!(%signal, "told to stop: finishing what is held; a second signal stops at once");
            // The signal first: who wakes by the token asks for it.
            _ = self.signal.set(signal);
            self.drain.cancel();
        }
    }
}
