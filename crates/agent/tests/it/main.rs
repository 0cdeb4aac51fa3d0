//! The loop with real files, a real shell and a model that says what the test wants it to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod books;
mod caps;
mod change;
mod crash;
mod folder;
mod hidden;
mod losses;
mod nonsense;
mod orientation;
mod prefix;
mod read_only;
mod reviews;
mod script;
mod slow;
mod stop;
mod whole;

use std::time::Duration;

use agent::{Brief, Conclusion, Halt, Model, Monotonic, Ports, Resumed, Workspace, run};
use domain::{Caps, Mode, Task};
use tokio::sync::watch;
use tokio::time::Instant;

use books::Books;

/// A job with a mechanic's caps but plenty of time.
fn brief(task: Task) -> Brief {
    Brief {
        task,
        prompt: "the total is wrong".to_owned(),
        test_command: Some("sh test.sh".to_owned()),
        changes: None,
        caps: Caps { time: Duration::from_secs(600), ..Caps::of(Mode::Mechanic) },
        started: Instant::now(),
        delivery_reserve: Duration::from_secs(10),
        resumed: Resumed::default(),
    }
}

/// Runs the loop with nobody to stop it.
async fn work(brief: Brief, model: &dyn Model, books: &Books, workspace: &dyn Workspace) -> Conclusion {
    let (_sender, halt) = watch::channel(None::<Halt>);
    sendable(run(brief, Ports { model, journal: books, workspace, clock: &Monotonic, halt })).await
}

/// A worker runs the loop beside its heartbeat, on any thread.
fn sendable<T: Send>(future: T) -> T {
    future
}
