//! One worker process, from its start to its end.

use std::time::Duration;

use domain::WorkerId;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::last_words;

/// What a child wrote is read within this after its end; another process may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A worker process ended.
pub struct Ended {
    pub id: WorkerId,
    pub lived: Duration,
    /// None: it went in good order.
    pub failure: Option<String>,
}

/// Waits for a child's end and hands signals on: only who waits for a process may signal it, or the id may be another's.
pub async fn watch(
    mut child: Child,
    id: WorkerId,
    mut signals: mpsc::UnboundedReceiver<Signal>,
    report: mpsc::UnboundedSender<Ended>,
) {
    let born = Instant::now();
    let words = child.stderr.take().map(|stderr| tokio::spawn(last_words::hand_on(stderr)));
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            Some(signal) = signals.recv() => {
                if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
                    // It may have ended already; that is what it was for.
                    let _ = kill(Pid::from_raw(pid), signal);
                }
            }
        }
    };
    let lived = born.elapsed();
    let mut failure = match status {
        Ok(status) if status.success() => None,
        Ok(status) => Some(status.to_string()),
        Err(error) => Some(error.to_string()),
    };
    if let (Some(failure), Some(words)) = (&mut failure, words)
        && let Ok(Ok(Some(words))) = timeout(LAST_WORDS, words).await
    {
        failure.push_str(": ");
        failure.push_str(&words);
    }
    // Nobody listens any more when the scaler itself goes.
    let _ = report.send(Ended { id, lived, failure });
}
