//! Jobs of one group, and the transactions that are at them.

pub const PROCESSES: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    InLine,
    Parked,
    Running,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    Finish,
    GiveBack,
    Cancel,
}

/// Where a process stands in its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    Idle,
    /// Has locked a job in line.
    Chosen(usize),
    /// Has counted, and wants the group's lock.
    CountedEarly(usize, bool),
    /// Knows whether one more may run.
    Counted(usize, bool),
    /// Has written a job's end; whether its place is to be handed on.
    Ended(bool),
    /// Has the group's lock, and looks whom to hand the place on to.
    HandingOn,
    /// Wants the row of the one that it has chosen.
    Handing(usize),
    Committing,
}

impl At {
    /// The job in line whose row it has locked and not written.
    pub fn chosen(self) -> Option<usize> {
        match self {
            At::Chosen(job) | At::CountedEarly(job, _) | At::Counted(job, _) => Some(job),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// As committed.
    pub jobs: Vec<Job>,
    pub at: [At; PROCESSES],
    /// What each process has written and not committed. It holds these rows' locks, and that of the one it has chosen.
    pub written: [Vec<(usize, Job)>; PROCESSES],
    pub group_lock: Option<usize>,
}

impl State {
    /// The job as `process` sees it: committed, or its own doing.
    pub fn seen(&self, process: usize, job: usize) -> Job {
        let own = self.written[process].iter().rev().find(|(written, _)| *written == job);
        own.map_or(self.jobs[job], |(_, state)| *state)
    }

    pub fn seen_to_be(&self, process: usize, state: Job) -> impl Iterator<Item = usize> {
        (0..self.jobs.len()).filter(move |job| self.seen(process, *job) == state)
    }

    pub fn holds(&self, process: usize, job: usize) -> bool {
        self.at[process].chosen() == Some(job)
            || self.written[process].iter().any(|(written, _)| *written == job)
    }

    pub fn held_by_another(&self, process: usize, job: usize) -> bool {
        (0..PROCESSES).any(|other| other != process && self.holds(other, job))
    }

    pub fn lock_group(&mut self, process: usize) -> Option<()> {
        match self.group_lock {
            Some(holder) if holder != process => None,
            _ => {
                self.group_lock = Some(process);
                Some(())
            }
        }
    }

    pub fn running(&self) -> usize {
        self.jobs.iter().filter(|job| **job == Job::Running).count()
    }

    pub fn close(&mut self, process: usize) {
        self.written[process].clear();
        self.at[process] = At::Idle;
        if self.group_lock == Some(process) {
            self.group_lock = None;
        }
    }
}
