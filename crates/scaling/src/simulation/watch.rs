//! For those who look on while a simulation runs: pictures, and the tests of what must always hold.

use std::time::Duration;

/// A fleet and its queue at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Jobs that wait for a worker.
    pub waiting: u32,
    /// Tasks that were asked for and whose workers are not up yet.
    pub starting: u32,
    /// Workers that are up and have nothing to do.
    pub idle: u32,
    /// Workers at work, each on one job.
    pub busy: u32,
}

impl View {
    /// Tasks that are paid for.
    pub fn alive(&self) -> u32 {
        self.starting + self.idle + self.busy
    }

    /// Jobs that are not done: what a queue's length is to those who scale on it.
    pub fn depth(&self) -> u32 {
        self.waiting.saturating_add(self.busy)
    }
}

/// What happens to a worker. Numbers of workers are used again after they stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // job: its place in the trace
pub enum Happening {
    /// A task was asked for.
    Launched { worker: usize },
    /// Its worker can claim jobs.
    Up { worker: usize },
    /// It is gone.
    Stopped { worker: usize },
    /// It begins with a job.
    Started { worker: usize, job: usize },
    /// It is done with it.
    Ended { worker: usize, job: usize },
}

/// Looks on. `()` does not.
pub trait Watch {
    /// Told in the order in which things happen.
    fn happened(&mut self, _at: Duration, _what: Happening) {}
    /// Everything that had to happen at this moment because of one event has happened.
    fn settled(&mut self, _at: Duration, _view: View) {}
}

impl Watch for () {}
