//! What the queue promises, without a database: a list of jobs, and what each operation makes of them.

use domain::{JobId, JobState, WorkerId};
use store::Claimed;
use tokio_postgres::Client;

use super::Op;
use super::invariants::InLine;

#[derive(Clone, Debug)]
pub struct Job {
    id: JobId,
    repo: u8,
    group: Option<usize>,
    priority: u8,
    dedupe: Option<u8>,
    state: JobState,
    /// Its time has come.
    due: bool,
    pub cancel: bool,
    attempt: i32,
    failures: i16,
    deaths: i16,
    holder: Option<WorkerId>,
    /// It was given back, and may stand before those who have waited longer.
    returned: bool,
}

#[derive(Debug, Default)]
pub struct Reference {
    jobs: Vec<Job>,
    paused: bool,
    done: Vec<Op>,
}

/// Errors and deaths after which a job is given up.
const CHANCES: i16 = 3;

impl Job {
    fn end(&mut self, state: JobState) -> JobState {
        (self.state, self.holder) = (state, None);
        state
    }

    fn back(&mut self, due: bool) -> JobState {
        (self.due, self.returned) = (due, due);
        self.end(JobState::Queued)
    }

    fn open(&self) -> bool {
        !self.state.is_final()
    }
}

impl Reference {
    pub fn of(&mut self, id: JobId) -> &mut Job {
        self.jobs.iter_mut().find(|job| job.id == id).expect("a job that was submitted")
    }

    pub fn nth(&self, n: usize) -> Option<JobId> {
        self.jobs.get(n % self.jobs.len().max(1)).map(|job| job.id)
    }

    /// What was done, for the message; and what concerns no job.
    pub fn note(&mut self, op: &Op) {
        match op {
            Op::Pause(paused) => self.paused = *paused,
            Op::TimePasses => self.jobs.iter_mut().for_each(|job| job.due = true),
            _ => {}
        }
        self.done.push(op.clone());
    }

    pub fn submit(&mut self, id: JobId, asked: (u8, Option<usize>, u8, bool, Option<u8>)) {
        let (repo, group, priority, later, dedupe) = asked;
        let twin = self.jobs.iter().find(|job| job.dedupe == dedupe && job.open() && dedupe.is_some());
        match twin {
            Some(twin) => assert_eq!(twin.id, id, "the open job of that name is the answer"),
            None => {
                assert!(self.jobs.iter().all(|job| job.id != id));
                let (state, due) = (JobState::Queued, !later);
                let (attempt, failures, deaths) = (0, 0, 0);
                let (cancel, holder, returned) = (false, None, false);
                self.jobs.push(Job {
                    id,
                    repo,
                    group,
                    priority,
                    dedupe,
                    state,
                    due,
                    cancel,
                    attempt,
                    failures,
                    deaths,
                    holder,
                    returned,
                });
            }
        }
    }

    fn has_room(&self, job: &Job) -> bool {
        let running = |group| {
            self.jobs
                .iter()
                .filter(|other| other.state == JobState::Running && other.group == Some(group))
                .count()
        };
        job.group.is_none_or(|group| running(group) <= group)
    }

    fn may_start(&self) -> impl Iterator<Item = &Job> {
        let queued = |job: &&Job| job.state == JobState::Queued && job.due && !self.paused;
        self.jobs.iter().filter(queued).filter(|job| self.has_room(job))
    }

    /// One after the other, each that was claimed must have been one whose turn it was. `line`: as it was before the claim.
    pub fn claim(&mut self, by: WorkerId, most: u16, claimed: &[Claimed], line: &[InLine]) {
        let mut left: Vec<JobId> = claimed.iter().map(|claimed| claimed.claim.job).collect();
        while let Some(highest) = self.may_start().map(|job| job.priority).max() {
            if claimed.len() - left.len() == usize::from(most) {
                break;
            }
            let due: Vec<JobId> =
                self.may_start().filter(|job| job.priority == highest).map(|job| job.id).collect();
            let at = left.iter().position(|id| due.contains(id));
            let at = at.unwrap_or_else(|| panic!("of {left:?} none is among {due:?} after {:?}", self.done));
            let id = left.remove(at);
            // Where all stood in line, and one was claimed, it was the first.
            if let (1, Some(chosen)) = (most, line.iter().find(|job| job.id == id)) {
                let before =
                    line.iter().filter(|job| due.contains(&job.id) && job.turn < chosen.turn).count();
                assert_eq!(before, 0, "{id} passed others after {:?}", self.done);
            }
            let job = self.of(id);
            (job.state, job.holder, job.returned) = (JobState::Running, Some(by), false);
            job.attempt += 1;
        }
        assert!(left.is_empty(), "{left:?} were not to be claimed after {:?}", self.done);
        for claimed in claimed {
            assert_eq!(claimed.claim.attempt.0, self.of(claimed.claim.job).attempt);
        }
    }

    pub fn release(&mut self, id: JobId) -> JobState {
        let job = self.of(id);
        if job.cancel { job.end(JobState::Cancelled) } else { job.back(true) }
    }

    fn end_attempt(&mut self, id: JobId, again: bool, due: bool) -> JobState {
        let job = self.of(id);
        match () {
            () if job.cancel => job.end(JobState::Cancelled),
            () if !again => job.end(JobState::Failed),
            () if job.failures + job.deaths >= CHANCES => job.end(JobState::Dead),
            () => job.back(due),
        }
    }

    pub fn fail(&mut self, id: JobId, again: bool) -> JobState {
        self.of(id).failures += 1;
        self.end_attempt(id, again, false)
    }

    pub fn dies(&mut self, worker: WorkerId) {
        let held: Vec<JobId> =
            self.jobs.iter().filter(|job| job.holder == Some(worker)).map(|job| job.id).collect();
        for id in held {
            self.of(id).deaths += 1;
            self.end_attempt(id, true, true);
        }
    }

    pub fn finish(&mut self, id: JobId) {
        self.of(id).end(JobState::Succeeded);
    }

    pub fn cancel(&mut self, id: JobId) -> JobState {
        let job = self.of(id);
        match job.state {
            JobState::Queued => job.end(JobState::Cancelled),
            JobState::Running => {
                job.cancel = true;
                JobState::Running
            }
            ended => ended,
        }
    }

    pub fn retry(&mut self, id: JobId) -> Result<(), &'static str> {
        let job = self.of(id).clone();
        if job.open() || job.state == JobState::Succeeded {
            return Err("wrong state");
        }
        if job.dedupe.is_some() && self.jobs.iter().any(|other| other.open() && other.dedupe == job.dedupe) {
            return Err("duplicate");
        }
        let job = self.of(id);
        (job.state, job.due, job.cancel, job.failures, job.deaths) = (JobState::Queued, true, false, 0, 0);
        job.returned = false;
        Ok(())
    }

    /// Every row says what the model says; and whoever has just come waits for no more than two jobs of each other repository.
    pub async fn matches(&mut self, admin: &Client) {
        let sql =
            "select id, state, attempt, failures, deaths, worker_id, cancel_requested from codeteam.jobs";
        let rows = admin.query(sql, &[]).await.unwrap();
        assert_eq!(rows.len(), self.jobs.len());
        for row in rows {
            let job = self.of(JobId(row.get(0))).clone();
            let real = (row.get::<_, &str>(1), row.get(2), row.get(3), row.get(4), row.get(5), row.get(6));
            let model = (
                job.state.as_str(),
                job.attempt,
                job.failures,
                job.deaths,
                job.holder.map(|worker| worker.0),
                job.cancel,
            );
            if job.state == JobState::Cancelled {
                assert_eq!(real.0, model.0, "after {:?}", self.done);
            } else {
                assert_eq!(real, model, "{} after {:?}", job.id, self.done);
            }
        }
        let line = super::invariants::line(admin).await;
        self.newcomer_is_served_soon(&line);
        self.observes(admin).await;
    }

    fn newcomer_is_served_soon(&self, line: &[InLine]) {
        let (Some(Op::Submit { .. }), Some(new)) = (self.done.last(), self.jobs.last()) else { return };
        let Some(place) = line.iter().find(|job| job.id == new.id) else { return };
        let standing = |job: &&Job| {
            job.priority == new.priority
                && !job.returned
                && line.iter().any(|other| other.id == job.id && other.turn < place.turn)
        };
        let before: Vec<u8> = self.jobs.iter().filter(standing).map(|job| job.repo).collect();
        if !before.contains(&new.repo) {
            for repo in 0..3 {
                let served = before.iter().filter(|other| **other == repo).count();
                assert!(served <= 2, "{served} of r{repo} go before a newcomer after {:?}", self.done);
            }
        }
    }

    async fn observes(&self, admin: &Client) {
        let sql = "select ready, paused, for_time, for_jobs, for_group, for_budget, running, busy from codeteam.observe() where mode = 'mechanic'";
        let row = admin.query_one(sql, &[]).await.unwrap();
        let count = |column: usize| row.get::<_, i64>(column).unsigned_abs() as usize;
        let of = |state| self.jobs.iter().filter(move |job| job.state == state);
        let later = of(JobState::Queued).filter(|job| !job.due).count();
        let busy: std::collections::HashSet<_> =
            of(JobState::Running).map(|job| job.holder.unwrap().0).collect();
        assert_eq!((0..6).map(count).sum::<usize>(), of(JobState::Queued).count(), "after {:?}", self.done);
        assert_eq!(
            (count(2), count(3), count(5), count(6), count(7)),
            (later, 0, 0, of(JobState::Running).count(), busy.len()),
            "after {:?}",
            self.done
        );
        let startable = self.may_start().next().is_some();
        assert!(count(0) > 0 || !startable, "a job may start, and nobody is told after {:?}", self.done);
        assert!(count(1) == 0 || self.paused);
    }
}
