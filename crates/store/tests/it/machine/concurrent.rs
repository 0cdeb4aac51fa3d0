//! Eight at once, on connections of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{Event, ExitReason, JobId, JobState, Mode, Outcome};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use store::{Claimed, Database, StoreError};
use tokio_postgres::Client;

use super::invariants::holds;
use super::{Op, TIME_PASSES, new_job, op, silence};
use crate::groups::finish;
use crate::{hired, journal_of, roles, soon};

const PROGRAMS: usize = 8;
const OPERATIONS: usize = 120;

struct Program {
    api: Arc<Database>,
    workers: Arc<Database>,
    admin: Client,
    by: domain::WorkerId,
    held: Vec<Claimed>,
}

/// What may become of a call though it is right: another one was quicker.
fn let_pass<T>(result: Result<T, StoreError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(StoreError::StaleLease(_) | StoreError::WrongState(_) | StoreError::Duplicate(_)) => None,
        Err(error) => panic!("{error:?}"),
    }
}

impl Program {
    async fn any_job(&self, n: usize) -> Option<JobId> {
        let sql = "select id from codeteam.jobs order by created_at, id offset $1 % greatest((select count(*) from codeteam.jobs), 1) limit 1";
        let row = self.admin.query_opt(sql, &[&((n >> 1) as i64)]).await.unwrap();
        row.map(|row| JobId(row.get(0)))
    }

    fn take(&mut self, n: usize) -> Option<Claimed> {
        (!self.held.is_empty()).then(|| self.held.swap_remove(n % self.held.len()))
    }

    async fn apply(&mut self, op: &Op) {
        match op {
            Op::Submit { .. } => drop(let_pass(self.api.submit(&new_job(op)).await)),
            // More than one at a time, of several groups, is a test of its own.
            Op::Claim(..) => {
                let claimed = let_pass(self.workers.claim_many(self.by, Mode::Mechanic, 1).await);
                self.held.extend(claimed.into_iter().flatten());
            }
            Op::Heartbeat(_) => {
                let claims: Vec<_> = self.held.iter().map(|held| held.claim).collect();
                drop(let_pass(self.workers.heartbeat(self.by, &claims).await));
            }
            Op::Append(n) => {
                let Some(mut held) = self.take(*n) else { return };
                let event = [Event::Noted { message: "at it".into() }];
                let written = journal_of(&self.workers, &held).append(&event, soon()).await;
                if let_pass(written).is_some() {
                    held.seq += 1;
                    self.held.push(held);
                }
            }
            Op::Release(n) => {
                let Some(held) = self.take(*n) else { return };
                let_pass(self.workers.release(&held.claim, "drain").await);
            }
            Op::Fail(n, again) => {
                let Some(held) = self.take(*n) else { return };
                let pause = again.then_some(Duration::from_millis(1));
                let_pass(self.workers.fail_attempt(&held.claim, ExitReason::ModelError, "no", pause).await);
            }
            Op::Finish(n) => {
                let Some(held) = self.take(*n) else { return };
                let end = (JobState::Succeeded, Outcome::Verified, ExitReason::Finished);
                let_pass(journal_of(&self.workers, &held).finish(end, None, &[], soon()).await);
            }
            Op::Cancel(n) => {
                let Some(id) = self.any_job(*n).await else { return };
                let_pass(self.api.cancel(id).await);
            }
            Op::Retry(n) => {
                let Some(id) = self.any_job(*n).await else { return };
                let_pass(self.api.retry(id).await);
            }
            Op::Pause(true) => drop(let_pass(self.api.pause(Mode::Mechanic, "").await)),
            Op::Pause(false) => drop(let_pass(self.api.resume(Mode::Mechanic).await)),
            Op::TimePasses => drop(self.admin.execute(TIME_PASSES, &[]).await.unwrap()),
            Op::Dies(_) => {
                silence(&self.admin, self.by).await;
                self.held.clear();
                self.by = hired(&self.workers).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_eight_do_at_once_every_state_is_sound_and_every_job_finds_its_end() {
    let roles = roles().await;
    let mut runner = TestRunner::default();
    let mut programs = tokio::task::JoinSet::new();
    for _ in 0..PROGRAMS {
        let ops = proptest::collection::vec(op(), OPERATIONS).new_tree(&mut runner).unwrap().current();
        let workers = roles.database.store("codeteam_worker").await;
        let mut program = Program {
            api: roles.database.store("codeteam_api").await,
            admin: roles.database.client("postgres").await,
            by: hired(&workers).await,
            workers,
            held: Vec::new(),
        };
        programs.spawn(async move {
            for op in &ops {
                program.apply(op).await;
            }
            silence(&program.admin, program.by).await;
        });
    }
    let (done, admin) = (Arc::new(AtomicBool::new(false)), roles.database.client("postgres").await);
    let sampling = tokio::spawn({
        let done = done.clone();
        async move {
            while !done.load(Ordering::Relaxed) {
                holds(&admin).await;
            }
            admin
        }
    });
    while let Some(program) = programs.join_next().await {
        program.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    let admin = sampling.await.unwrap();

    roles.api.resume(Mode::Mechanic).await.unwrap();
    admin.execute(TIME_PASSES, &[]).await.unwrap();
    let by = hired(&roles.worker).await;
    let open = "select count(*) from codeteam.jobs where state in ('queued', 'running')";
    while let Some(held) = roles.worker.claim(by, Mode::Mechanic).await.unwrap() {
        finish(&roles.worker, &held).await.unwrap();
        holds(&admin).await;
    }
    assert_eq!(admin.query_one(open, &[]).await.unwrap().get::<_, i64>(0), 0, "jobs that nobody can claim");
}
