//! The queue as a state machine: random operations on the real database, beside a simple model of what they do.
//!
//! One after the other, every answer and every row is compared with the model. Eight at once, what must hold of any state is asked
//! of the database meanwhile and at the end, when every job must have found its end.

mod concurrent;
mod invariants;
mod reference;

use std::time::Duration;

use domain::{Event, ExitReason, JobState, Mode, NewJob, Outcome, Queueing, WorkerId};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use store::{Claim, Claimed, StoreError, Verdict};
use tokio_postgres::Client;

use self::invariants::holds;
use self::reference::Reference;
use crate::{Roles, hired, journal_of, roles, soon};

const WORKERS: usize = 3;
/// A group's limit is its number plus one.
pub const GROUPS: [&str; 2] = ["g0", "g1"];

/// Jobs are meant by their number, modulo as many as there are.
#[derive(Clone, Debug)]
pub enum Op {
    Submit {
        repo: u8,
        group: Option<usize>,
        priority: u8,
        later: bool,
        dedupe: Option<u8>,
    },
    Claim(usize, u16),
    Heartbeat(usize),
    Append(usize),
    Release(usize),
    Fail(usize, bool),
    Finish(usize),
    Cancel(usize),
    Retry(usize),
    Pause(bool),
    /// Whatever waits for a time is due.
    TimePasses,
    /// A worker falls silent, and another one takes its place.
    Dies(usize),
}

pub fn op() -> impl Strategy<Value = Op> {
    use proptest::option::weighted;
    let submit =
        (0..3u8, weighted(0.4, 0..GROUPS.len()), 0..3u8, prop::bool::weighted(0.2), weighted(0.2, 0..2u8));
    prop_oneof![
        8 => submit.prop_map(|(repo, group, priority, later, dedupe)| {
            Op::Submit { repo, group, priority, later, dedupe }
        }),
        8 => (0..WORKERS).prop_map(|worker| Op::Claim(worker, 1)),
        1 => (0..WORKERS, 2..4u16).prop_map(|(worker, most)| Op::Claim(worker, most)),
        1 => (0..WORKERS).prop_map(Op::Heartbeat),
        1 => any::<usize>().prop_map(Op::Append),
        2 => any::<usize>().prop_map(Op::Release),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(job, again)| Op::Fail(job, again)),
        3 => any::<usize>().prop_map(Op::Finish),
        2 => any::<usize>().prop_map(Op::Cancel),
        2 => any::<usize>().prop_map(Op::Retry),
        1 => prop::bool::weighted(0.3).prop_map(Op::Pause),
        1 => Just(Op::TimePasses),
        1 => (0..WORKERS).prop_map(Op::Dies),
    ]
}

pub fn new_job(op: &Op) -> NewJob {
    let Op::Submit { repo, group, priority, later, dedupe } = op else { panic!("{op:?} submits nothing") };
    let in_a_day = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    NewJob {
        repo: format!("r{repo}"),
        dedupe_key: dedupe.map(|key| format!("d{key}")),
        queueing: Queueing {
            priority: *priority,
            run_at: later.then_some(in_a_day),
            group_key: group.map(|group| GROUPS[group].into()),
            group_limit: group.map(|group| group as u16 + 1),
            ..Queueing::default()
        },
        ..testkit::job()
    }
}

pub const TIME_PASSES: &str = "update codeteam.jobs set run_at = now() - interval '1 second' where state = 'queued' and waits_for = 'time'";

/// The lines' beginnings move at every fourth job instead of every 128th.
const LINES_MOVE_OFTEN: &str =
    "do $$ declare take text := pg_get_functiondef('codeteam.take_jobs'::regproc); begin
    assert take like '%random() < 1.0 / 128%';
    execute replace(take, 'random() < 1.0 / 128', 'random() < 0.25');
  end $$";

pub async fn silence(admin: &Client, worker: WorkerId) {
    let sql = "update codeteam.workers set lease_ms = 1, lease_expires_at = now() - interval '1 minute' where id = $1";
    admin.execute(sql, &[&worker.0]).await.unwrap();
}

struct Machine {
    roles: Roles,
    admin: Client,
    workers: Vec<WorkerId>,
    held: Vec<Claimed>,
    model: Reference,
}

impl Machine {
    async fn apply(&mut self, op: &Op) {
        match op {
            Op::Submit { repo, group, priority, later, dedupe } => {
                let id = self.roles.api.submit(&new_job(op)).await.unwrap();
                self.model.submit(id, (*repo, *group, *priority, *later, *dedupe));
            }
            Op::Claim(worker, most) => {
                let by = self.workers[*worker];
                let line = invariants::line(&self.admin).await;
                let claimed = self.roles.worker.claim_many(by, Mode::Mechanic, *most).await.unwrap();
                self.model.claim(by, *most, &claimed, &line);
                self.held.extend(claimed);
            }
            Op::Heartbeat(worker) => {
                let by = self.workers[*worker];
                let claims: Vec<Claim> =
                    self.held.iter().map(|held| held.claim).filter(|claim| claim.worker == by).collect();
                let verdicts = self.roles.worker.heartbeat(by, &claims).await.unwrap();
                for (claim, verdict) in claims.iter().zip(verdicts) {
                    let expected =
                        if self.model.of(claim.job).cancel { Verdict::Cancel } else { Verdict::Ok };
                    assert_eq!(verdict, expected);
                }
            }
            Op::Append(n) => {
                let among = self.held.len().max(1);
                let Some(held) = self.held.get_mut(n % among) else { return };
                let event = [Event::Noted { message: "at it".into() }];
                journal_of(&self.roles.worker, held).append(&event, soon()).await.unwrap();
                held.seq += 1;
            }
            Op::Release(n) => {
                let Some(held) = self.take(*n) else { return };
                self.roles.worker.release(&held.claim, "drain").await.unwrap();
                self.model.release(held.claim.job);
            }
            Op::Fail(n, again) => {
                let Some(held) = self.take(*n) else { return };
                let pause = again.then_some(Duration::from_secs(3600));
                let failing =
                    self.roles.worker.fail_attempt(&held.claim, ExitReason::ModelError, "no", pause);
                assert_eq!(failing.await.unwrap(), self.model.fail(held.claim.job, *again));
            }
            Op::Finish(n) => {
                let Some(held) = self.take(*n) else { return };
                let end = (JobState::Succeeded, Outcome::Verified, ExitReason::Finished);
                journal_of(&self.roles.worker, &held).finish(end, None, &[], soon()).await.unwrap();
                self.model.finish(held.claim.job);
            }
            Op::Cancel(n) => {
                let Some(id) = self.model.nth(*n) else { return };
                assert_eq!(self.roles.api.cancel(id).await.unwrap(), self.model.cancel(id));
            }
            Op::Retry(n) => {
                let Some(id) = self.model.nth(*n) else { return };
                match (self.roles.api.retry(id).await, self.model.retry(id)) {
                    (Ok(()), Ok(()))
                    | (Err(StoreError::WrongState(_)), Err("wrong state"))
                    | (Err(StoreError::Duplicate(_)), Err("duplicate")) => {}
                    (real, expected) => panic!("a retry gave {real:?}, expected {expected:?}"),
                }
                // An error is told before its transaction lets go of the job, and a claim passes a job that is locked.
                self.roles.api.pauses().await.unwrap();
            }
            Op::Pause(true) => self.roles.api.pause(Mode::Mechanic, "").await.unwrap(),
            Op::Pause(false) => drop(self.roles.api.resume(Mode::Mechanic).await.unwrap()),
            Op::TimePasses => drop(self.admin.execute(TIME_PASSES, &[]).await.unwrap()),
            Op::Dies(worker) => {
                let lost = std::mem::replace(&mut self.workers[*worker], hired(&self.roles.worker).await);
                silence(&self.admin, lost).await;
                self.admin.execute("select codeteam.sweep_expired(1000)", &[]).await.unwrap();
                self.held.retain(|held| held.claim.worker != lost);
                self.model.dies(lost);
            }
        }
        self.model.note(op);
    }

    fn take(&mut self, n: usize) -> Option<Claimed> {
        (!self.held.is_empty()).then(|| self.held.swap_remove(n % self.held.len()))
    }

    async fn run(&mut self, ops: &[Op]) {
        let fresh = "truncate codeteam.jobs, codeteam.workers, codeteam.pauses, codeteam.sleepers cascade;
                     update codeteam.line_steps set starts_at = 0, next_start = 0, next_xid = null";
        self.admin.batch_execute(fresh).await.unwrap();
        (self.held, self.model, self.workers) = Default::default();
        for _ in 0..WORKERS {
            self.workers.push(hired(&self.roles.worker).await);
        }
        for op in ops {
            self.apply(op).await;
            self.model.matches(&self.admin).await;
            holds(&self.admin).await;
        }
    }
}

#[test]
fn whatever_is_done_one_after_the_other_the_queue_does_what_its_model_does() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut machine = runtime.block_on(async {
        let roles = roles().await;
        let admin = roles.database.client("postgres").await;
        admin.batch_execute(LINES_MOVE_OFTEN).await.unwrap();
        Machine { roles, admin, workers: Vec::new(), held: Vec::new(), model: Reference::default() }
    });
    let machine = std::sync::Mutex::new(&mut machine);
    let mut runner = TestRunner::new(Config { cases: 32, failure_persistence: None, ..Config::default() });
    let checked = runner.run(&prop::collection::vec(op(), 60), |ops| {
        let mut machine = machine.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        runtime.block_on(machine.run(&ops));
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
}
