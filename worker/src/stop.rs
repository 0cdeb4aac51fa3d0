//! The ways in which a worker is told to go, from gentle to firm.

use std::io;
use std::time::Duration;

use service::Shutdown;
use tokio_util::sync::CancellationToken;

/// What the worker has been told.
#[derive(Clone, Debug)]
pub struct Stop {
    shutdown: Shutdown,
    /// Take no further job; the one at hand is finished.
    retire: CancellationToken,
}

impl Stop {
    pub fn listen(on_stdin_close: bool) -> io::Result<Stop> {
        let shutdown = Shutdown::listen()?;
        let retire = shutdown.token().child_token();
        if on_stdin_close {
            let retire = retire.clone();
            service::leash::on_release(move || {
                tracing::info!("standard input is closed: going after this job");
                retire.cancel();
            });
        }
        Ok(Stop { shutdown, retire })
    }

    /// Whether no further job may be taken.
    pub fn is_asked(&self) -> bool {
        self.retire.is_cancelled()
    }

    /// Waits until no further job may be taken.
    pub async fn asked(&self) {
        self.retire.cancelled().await;
    }

    /// Whether the job at hand is to be given back at the next chance.
    pub fn is_draining(&self) -> bool {
        self.shutdown.token().is_cancelled()
    }

    /// Waits until the job at hand must be dropped: `grace` after the first signal, or at the second.
    pub async fn too_late(&self, grace: Duration) {
        self.shutdown.token().cancelled().await;
        tokio::select! {
            () = tokio::time::sleep(grace) => {}
            () = self.shutdown.now().cancelled() => {}
        }
    }
}
