//! What is new since the last look: jobs that moved, and the scaler's decisions.

use std::collections::HashMap;

use domain::{Attempt, JobId, JobState};
use jiff::Timestamp;
use store::{Database, Decision, JobFilter, JobRow, StoreError};

use crate::view::number::{between, span};
use crate::view::text::{one_line, short, tail};

/// Jobs and decisions that a look takes in.
const PAGE: i64 = 50;

/// Something worth a line.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    /// When it happened, by the database's clock.
    pub at: Timestamp,
    /// A word for programs.
    pub kind: &'static str,
    /// A line for people.
    pub text: String,
}

/// What was known at the last look.
#[derive(Debug, Default)]
pub struct News {
    jobs: HashMap<JobId, (JobState, Attempt)>,
    decided_at: Option<Timestamp>,
    fleet: HashMap<String, i32>,
    looked: bool,
}

impl News {
    /// Knows of nothing but of the decision that was the latest before this team came up.
    pub fn after(decided_at: Option<Timestamp>) -> News {
        News { decided_at, ..News::default() }
    }

    /// The scaler and its fleet are gone.
    pub fn forget_fleet(&mut self) {
        self.fleet.clear();
    }

    /// Looks, and gives what is new. The first look tells only of jobs that are unfinished.
    pub async fn look(&mut self, database: &Database) -> Result<Vec<Item>, StoreError> {
        let mut jobs = database.jobs(JobFilter::default(), PAGE).await?;
        for state in [JobState::Queued, JobState::Running] {
            jobs.extend(database.jobs(JobFilter { state: Some(state), ..JobFilter::default() }, PAGE).await?);
        }
        let open = self.jobs.iter().filter(|(_, (state, _))| *state == JobState::Running);
        let missing: Vec<JobId> =
            open.map(|(id, _)| *id).filter(|id| jobs.iter().all(|job| job.id != *id)).collect();
        for id in missing {
            jobs.push(database.job(id).await?);
        }
        let decisions = database.decisions(PAGE).await?;
        Ok(self.take(jobs, &decisions))
    }

    /// Whether nobody works, and nobody is up who could. Jobs may wait for their time.
    pub fn is_quiet(&self) -> bool {
        self.jobs.values().all(|(state, _)| *state != JobState::Running)
            && self.fleet.values().all(|size| *size == 0)
    }

    fn take(&mut self, mut jobs: Vec<JobRow>, decisions: &[Decision]) -> Vec<Item> {
        jobs.sort_by_key(|job| (job.created_at, job.id));
        jobs.dedup_by_key(|job| job.id);
        let first = !std::mem::replace(&mut self.looked, true);
        let mut items = Vec::new();
        for decision in
            decisions.iter().rev().filter(|decision| self.decided_at.is_none_or(|at| decision.at > at))
        {
            let Decision { service, previous, target, reason, .. } = decision;
            let text = format!("fleet {service} {previous} -> {target}: {}", one_line(reason, 200));
            items.push(Item { at: decision.at, kind: "scaled", text });
            self.fleet.insert(service.clone(), *target);
        }
        self.decided_at = decisions.first().map(|decision| decision.at).or(self.decided_at);
        let mut now = HashMap::new();
        for job in jobs {
            let before = self.jobs.get(&job.id).copied();
            let after = (job.state, job.attempt);
            if before != Some(after) && !(first && job.state.is_final()) {
                items.push(Item { at: moved_at(&job), kind: job.state.as_str(), text: told(&job) });
            }
            now.insert(job.id, after);
        }
        self.jobs = now;
        items.sort_by_key(|item| item.at);
        items
    }
}

/// When the job came into its state. One that was given back carries no such time, and stands where it was claimed.
fn moved_at(job: &JobRow) -> Timestamp {
    job.finished_at.or(job.started_at).unwrap_or(job.created_at)
}

fn told(job: &JobRow) -> String {
    let id = short(&job.id);
    match (job.state, job.finished_at) {
        (JobState::Queued, _) if job.attempt.0 == 0 => {
            format!("job {id} queued: {} in {}: {}", job.task, tail(&job.repo), one_line(&job.prompt, 60))
        }
        (JobState::Queued, _) => format!("job {id} is back in the queue after attempt {}", job.attempt),
        (JobState::Running, _) => format!("job {id} claimed by a {}, attempt {}", job.mode, job.attempt),
        (state, end) => {
            let took = end.map(|end| span(between(job.created_at, end))).unwrap_or_default();
            let error =
                job.error.as_ref().map(|error| format!(": {}", one_line(error, 200))).unwrap_or_default();
            let outcome = job.outcome.map(|outcome| outcome.to_string()).unwrap_or_default();
            format!("job {id} {state} · {outcome} · {} steps · {} · {took}{error}", job.steps, job.cost)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Mode, Money, Task, Usage};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn job(state: JobState, attempt: i32) -> JobRow {
        JobRow {
            id: "0193a0f2-0000-7000-8000-000000000001".parse().unwrap(),
            mode: Mode::Mechanic,
            task: Task::BugFix,
            repo: "/srv/app".into(),
            base: None,
            head: None,
            prompt: "fix".into(),
            setup_command: None,
            test_command: None,
            delivery: None,
            model: None,
            state,
            attempt: Attempt(attempt),
            outcome: None,
            exit_reason: None,
            error: None,
            fingerprint: None,
            acknowledged_at: None,
            acknowledged_by: None,
            cancel_requested: false,
            worker: None,
            created_at: at(1),
            run_at: at(1),
            started_at: None,
            finished_at: state.is_final().then(|| at(5)),
            paused: false,
            budget_stop: None,
            waiting: None,
            steps: 2,
            cost: Money(7),
            usage: Usage::default(),
            models: vec![],
        }
    }

    fn decision(second: i64, previous: i32, target: i32) -> Decision {
        let (service, reason) = ("mechanic-worker".into(), "because".into());
        Decision {
            at: at(second),
            service,
            previous,
            target,
            reason,
            job: None,
            queued_at: None,
            called_at: None,
            first_heartbeat_at: None,
            claimed_at: None,
        }
    }

    fn kinds(items: &[Item]) -> Vec<&str> {
        items.iter().map(|item| item.kind).collect()
    }

    #[test]
    fn each_change_is_told_once_and_quiet_means_no_work_and_no_fleet() {
        let mut news = News::after(Some(at(1)));
        let old = decision(1, 1, 0);
        let up = decision(2, 0, 1);
        let queued = news.take(vec![job(JobState::Queued, 0)], &[up.clone(), old.clone()]);
        assert_eq!(kinds(&queued), ["queued", "scaled"]);
        assert_eq!(news.take(vec![job(JobState::Queued, 0)], &[up.clone(), old.clone()]), []);
        let running = news.take(vec![job(JobState::Running, 1); 2], &[up.clone(), old.clone()]);
        assert_eq!(kinds(&running), ["running"]);
        let done = news.take(vec![job(JobState::Succeeded, 1)], &[up.clone(), old.clone()]);
        assert_eq!(kinds(&done), ["succeeded"]);
        assert!(!news.is_quiet());
        let down = news.take(vec![job(JobState::Succeeded, 1)], &[decision(9, 1, 0), up, old]);
        assert_eq!(kinds(&down), ["scaled"]);
        assert!(news.is_quiet());
    }

    #[test]
    fn what_ended_before_the_first_look_is_no_news() {
        let mut news = News::after(None);
        assert_eq!(news.take(vec![job(JobState::Dead, 3)], &[]), []);
        assert!(news.is_quiet());
    }
}
