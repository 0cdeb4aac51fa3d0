//! The tasks of a fleet, and what they cost in time.

use std::time::Duration;

/// A task is charged for at least so long. <https://aws.amazon.com/fargate/pricing/>
const CHARGED_AT_LEAST: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, Default)]
struct Worker {
    launched_at: Duration,
    job: usize,
    /// Which of those that had this number it is: what was foretold of another does not happen to it.
    life: u32,
}

/// The tasks of a fleet.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    workers: Vec<Worker>,
    /// Numbers that can be given again.
    free: Vec<usize>,
    /// The one that was launched last is last.
    starting: Vec<usize>,
    idle: Vec<usize>,
    busy: u32,
    alive_time: Duration,
    charged_time: Duration,
}

impl Fleet {
    pub fn starting(&self) -> u32 {
        self.starting.len() as u32
    }

    pub fn idle(&self) -> u32 {
        self.idle.len() as u32
    }

    pub fn busy(&self) -> u32 {
        self.busy
    }

    pub fn alive(&self) -> u32 {
        self.starting() + self.idle() + self.busy
    }

    /// Its number, and which of that number it is.
    pub fn launch(&mut self, now: Duration) -> (usize, u32) {
        let worker = self.free.pop().unwrap_or_else(|| {
            self.workers.push(Worker::default());
            self.workers.len() - 1
        });
        self.workers[worker].launched_at = now;
        self.starting.push(worker);
        (worker, self.workers[worker].life)
    }

    /// False: it was stopped before.
    pub fn come_up(&mut self, worker: usize, life: u32) -> bool {
        if self.workers[worker].life != life {
            return false;
        }
        self.starting.retain(|&other| other != worker);
        self.idle.push(worker);
        true
    }

    /// An idle worker begins with the job, if there is one.
    pub fn begin(&mut self, job: usize) -> Option<usize> {
        let worker = self.idle.pop()?;
        self.workers[worker].job = job;
        self.busy += 1;
        Some(worker)
    }

    /// A worker is done and idle; gives its job.
    pub fn finish(&mut self, worker: usize) -> usize {
        self.busy -= 1;
        self.idle.push(worker);
        self.workers[worker].job
    }

    /// Stops one that nobody will miss: the youngest that is not up yet, else an idle one. None: all are at work, and protected.
    pub fn stop_one(&mut self, now: Duration) -> Option<usize> {
        let worker = self.starting.pop().or_else(|| self.idle.pop())?;
        self.workers[worker].life += 1;
        self.free.push(worker);
        self.charge(self.workers[worker].launched_at, now);
        Some(worker)
    }

    /// Nothing happens after `now`: gives the time that tasks were alive, and that for which they are charged.
    pub fn close(mut self, now: Duration) -> (Duration, Duration) {
        while self.stop_one(now).is_some() {}
        (self.alive_time, self.charged_time)
    }

    fn charge(&mut self, from: Duration, to: Duration) {
        let alive = to - from;
        self.alive_time += alive;
        self.charged_time += alive.max(CHARGED_AT_LEAST);
    }
}
