//! The queue's typed client: submit, claim, renew, give back, fail, finish, cancel, retry.

use std::time::Duration;

use domain::{
    Attempt, CapsOverride, ExitReason, JobChanges, JobId, JobState, Mode, Money, NewJob, Task, WorkerId,
};
use tokio::time::Instant;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::database::Param;
use crate::row::{one, read};
use crate::{Database, StoreError};

/// How long a worker holds its jobs without a word from it.
pub const LEASE: Duration = Duration::from_secs(30);

/// How long a submission is said again while the database is out of reach.
const SUBMIT_WITHIN: Duration = Duration::from_secs(3);

/// The fence: what every write of a worker names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The job that is held.
    pub job: JobId,
    /// The fencing token.
    pub attempt: Attempt,
    /// Who holds it.
    pub worker: WorkerId,
}

impl Claim {
    pub(crate) fn params(&self) -> [Param<'_>; 3] {
        [(&self.job.0, Type::UUID), (&self.attempt.0, Type::INT4), (&self.worker.0, Type::UUID)]
    }
}

/// A claimed job: what is asked for, and under which fence.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Names the claim in every later write.
    pub claim: Claim,
    /// The seq of the event that says that it was claimed.
    pub seq: i64,
    /// Earlier attempts that ended in an error.
    pub failures: u32,
    /// Calls of earlier attempts whose answers nobody has: they count against the caps.
    pub lost_calls: u32,
    /// The tokens at full rate that they count for: their worst case.
    pub lost_tokens: u64,
    /// The money that they count for: their worst case.
    pub lost_cost: Money,
    /// What is asked for.
    pub job: NewJob,
}

/// A heartbeat's answer for one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Still this worker's.
    Ok,
    /// Still this worker's, and somebody asked for its end.
    Cancel,
    /// Still this worker's, and a budget is spent: no further call is reserved for it. Give it back when the work that is paid
    /// for is done.
    Budget,
    /// No longer this worker's: stop its commands, deliver nothing.
    Lost,
}

impl Database {
    /// Enqueues a job that passed [`NewJob::check`]; gives the id of the open job with the same `dedupe_key`, if there is one.
    pub async fn submit(&self, job: &NewJob) -> Result<JobId, StoreError> {
        let ids = self.submit_all(std::slice::from_ref(job)).await?;
        ids.first()
            .copied()
            .ok_or_else(|| StoreError::Unreadable("a job was submitted, and no id came".into()))
    }

    /// Enqueues any number of jobs in one statement: all of them or none. Gives their ids in order. Said again while the database
    /// is out of reach, for a few seconds: the ids are chosen here, so that nothing is enqueued twice.
    pub async fn submit_all(&self, jobs: &[NewJob]) -> Result<Vec<JobId>, StoreError> {
        let fresh = jobs.iter().map(|job| (JobId(uuid::Uuid::new_v4()), job));
        self.submit_as(&fresh.collect::<Vec<_>>()).await
    }

    /// The same with ids that the caller chose, so that jobs may come after one another: in any order, but not in a circle.
    /// [`StoreError::InvalidAfter`] names the job that cannot come after another.
    pub async fn submit_as(&self, jobs: &[(JobId, &NewJob)]) -> Result<Vec<JobId>, StoreError> {
        let unreadable = |error: serde_json::Error| StoreError::Invalid(error.to_string());
        let mut asked = Vec::with_capacity(jobs.len());
        for (id, job) in jobs {
            let mut job = serde_json::to_value(job).map_err(unreadable)?;
            job["id"] = id.0.to_string().into();
            asked.push(job);
        }
        let asked = serde_json::Value::Array(asked);
        let soon = Instant::now() + SUBMIT_WITHIN;
        let submit = || async {
            self.query(include_str!("../queries/submit_jobs.sql"), &[(&asked, Type::JSONB)]).await
        };
        let rows = self.insist(soon, submit).await?;
        Ok(rows.iter().map(|row| JobId(row.get(0))).collect())
    }

    /// Claims the next job of `mode`, if there is one. A job whose claim's answer is lost goes back at the worker's next heartbeat.
    pub async fn claim(&self, worker: WorkerId, mode: Mode) -> Result<Option<Claimed>, StoreError> {
        Ok(self.claim_many(worker, mode, 1).await?.pop())
    }

    /// Claims up to `most` jobs in one statement, for a worker that does several at a time.
    pub async fn claim_many(
        &self,
        worker: WorkerId,
        mode: Mode,
        most: u16,
    ) -> Result<Vec<Claimed>, StoreError> {
        let (name, most) = (mode.as_str(), i32::from(most));
        let params: [Param<'_>; 3] = [(&worker.0, Type::UUID), (&name, Type::TEXT), (&most, Type::INT4)];
        let rows = self.query(include_str!("../queries/claim_jobs.sql"), &params).await?;
        rows.iter().map(|row| claimed(row, worker, mode)).collect()
    }

    /// Keeps the lease of one process, which names all the jobs that it holds. The verdicts come in the order of `claims`.
    pub async fn heartbeat(&self, worker: WorkerId, claims: &[Claim]) -> Result<Vec<Verdict>, StoreError> {
        let jobs: Vec<_> = claims.iter().map(|claim| claim.job.0).collect();
        let attempts: Vec<_> = claims.iter().map(|claim| claim.attempt.0).collect();
        let params: [Param<'_>; 3] =
            [(&worker.0, Type::UUID), (&jobs, Type::UUID_ARRAY), (&attempts, Type::INT4_ARRAY)];
        let rows = self.query(include_str!("../queries/heartbeat.sql"), &params).await?;
        Ok(claims
            .iter()
            .map(|claim| {
                let row = rows.iter().find(|row| row.get::<_, uuid::Uuid>(0) == claim.job.0);
                match row.map(|row| row.get::<_, &str>(1)) {
                    Some("ok") => Verdict::Ok,
                    Some("cancel") => Verdict::Cancel,
                    Some("budget") => Verdict::Budget,
                    _ => Verdict::Lost,
                }
            })
            .collect())
    }

    /// Gives a job back unharmed: no attempt is burnt.
    pub async fn release(&self, claim: &Claim, reason: &str) -> Result<(), StoreError> {
        let [job, attempt, worker] = claim.params();
        self.query(
            include_str!("../queries/release_job.sql"),
            &[job, attempt, worker, (&reason, Type::TEXT)],
        )
        .await?;
        Ok(())
    }

    /// Ends the attempt in an error. `retry_in` None: another attempt cannot help. Gives the job's state now.
    pub async fn fail_attempt(
        &self,
        claim: &Claim,
        reason: ExitReason,
        error: &str,
        retry_in: Option<Duration>,
    ) -> Result<JobState, StoreError> {
        let [job, attempt, worker] = claim.params();
        let retry_ms = retry_in.map(|pause| i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
        let reason = reason.as_str();
        let params =
            [job, attempt, worker, (&reason, Type::TEXT), (&error, Type::TEXT), (&retry_ms, Type::INT8)];
        let rows = self.query(include_str!("../queries/fail_attempt.sql"), &params).await?;
        read(one(&rows)?.get(0))
    }

    /// Asks for a job's end; gives its state now (still running until its worker heard of it).
    pub async fn cancel(&self, job: JobId) -> Result<JobState, StoreError> {
        let rows = self.query(include_str!("../queries/cancel_job.sql"), &[(&job.0, Type::UUID)]).await?;
        read(one(&rows)?.get(0))
    }

    /// Puts a failed, cancelled or dead job back into the queue for a fresh start: full caps, and nothing of what was said before.
    pub async fn retry(&self, job: JobId) -> Result<(), StoreError> {
        self.retry_with(job, &JobChanges::default()).await
    }

    /// The same, with changes that passed [`JobChanges::check`].
    pub async fn retry_with(&self, job: JobId, changes: &JobChanges) -> Result<(), StoreError> {
        let changes = serde_json::Value::Object(changes.to_json());
        let params: [Param<'_>; 2] = [(&job.0, Type::UUID), (&changes, Type::JSONB)];
        self.query(include_str!("../queries/retry_job.sql"), &params).await?;
        Ok(())
    }
}

fn claimed(row: &Row, worker: WorkerId, mode: Mode) -> Result<Claimed, StoreError> {
    Ok(Claimed {
        claim: Claim { job: JobId(row.get("id")), attempt: Attempt(row.get("attempt")), worker },
        seq: row.get("seq"),
        failures: row.get::<_, i16>("failures").unsigned_abs().into(),
        lost_calls: row.get::<_, i32>("lost_calls").unsigned_abs(),
        lost_tokens: row.get::<_, i64>("lost_tokens").unsigned_abs(),
        lost_cost: Money(row.get("lost_micros")),
        job: NewJob {
            mode,
            task: read::<Task>(row.get("task"))?,
            repo: row.get("repo"),
            base: row.get("base"),
            head: row.get("head"),
            prompt: row.get("prompt"),
            setup_command: row.get("setup_command"),
            test_command: row.get("test_command"),
            delivery: row.get::<_, Option<&str>>("delivery").map(read).transpose()?,
            model: row.get("model"),
            dedupe_key: None, // it has done its part, as queueing has
            queueing: domain::Queueing::default(),
            caps: CapsOverride {
                step_cap: narrow("step_cap", row.get::<_, Option<i32>>("step_cap"))?,
                token_cap: narrow("token_cap", row.get::<_, Option<i64>>("token_cap"))?,
                time_limit_ms: narrow("time_limit_ms", row.get::<_, Option<i64>>("time_limit_ms"))?,
                cost_cap_micros: row.get("cost_cap_micros"),
            },
        },
    })
}

fn narrow<T: TryFrom<F>, F: Copy + std::fmt::Display>(
    what: &str,
    value: Option<F>,
) -> Result<Option<T>, StoreError> {
    value
        .map(|value| {
            T::try_from(value).map_err(|_| StoreError::Invalid(format!("{what} {value} is out of range")))
        })
        .transpose()
}
