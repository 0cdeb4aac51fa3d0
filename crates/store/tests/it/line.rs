//! That every job is found, however it gets into line and however far the beginning of the line has moved meanwhile.
//!
//! Any open transaction of a server holds the beginnings back, so those tests that want one to move have a server of their own.

use std::sync::Arc;

use domain::{ExitReason, Mode, WorkerId};
use store::Database;
use tokio_postgres::{Client, IsolationLevel};

use crate::fairness::{next, submit};
use crate::{hired, roles};

pub const INSERT: &str =
    "insert into codeteam.jobs (mode, task, repo, prompt) values ('mechanic', 'bug_fix', 'late', 'p')";

/// A database on a server where nobody else is under way, and a worker.
pub struct Alone {
    pub server: testkit::Server,
    name: String,
    api: Arc<Database>,
    pub worker: Arc<Database>,
    pub by: WorkerId,
}

impl Alone {
    pub async fn start() -> Alone {
        let server = testkit::Server::start().await;
        let name = testkit::TestDatabase::create(&server, "template codeteam_template").await;
        let open = |role: &str| {
            let config = store::Config::parse(&server.url(role, &name), "test").unwrap();
            async { Arc::new(Database::open(config).await.unwrap()) }
        };
        let (api, worker) = (open("codeteam_api").await, open("codeteam_worker").await);
        let by = hired(&worker).await;
        Alone { server, name, api, worker, by }
    }

    pub async fn client(&self, role: &str) -> Client {
        let url = self.server.url(role, &self.name);
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Claims so many hundreds of jobs, a hundred in each transaction.
    pub async fn claim(&self, hundreds: usize) {
        for _ in 0..hundreds {
            assert_eq!(self.worker.claim_many(self.by, Mode::Mechanic, 100).await.unwrap().len(), 100);
        }
    }

    /// The number of the first column of the first row.
    pub async fn number(&self, sql: &str) -> i64 {
        self.client("postgres").await.query_one(sql, &[]).await.unwrap().get(0)
    }

    async fn beginning(&self) -> i64 {
        self.number(
            "select starts_at >> 33 from codeteam.line_beginnings where mode = 'mechanic' and priority = 0",
        )
        .await
    }

    async fn none_is_lost(&self) {
        let before =
            "select count(*) from codeteam.jobs j join codeteam.line_beginnings l using (mode, priority)
                      where j.state = 'queued' and j.waits_for is null and j.turn < l.starts_at";
        assert_eq!(self.number(before).await, 0, "jobs stand where nobody looks");
    }
}

#[tokio::test]
async fn a_job_that_is_committed_after_thousands_were_claimed_is_found() {
    let alone = Alone::start().await;
    submit(&alone.api, "r", 8_000).await;
    alone.claim(30).await; // one in 128 claimed jobs has the beginning moved: surely more than twice by now
    let before = alone.beginning().await;
    let mut late = alone.client("codeteam_api").await;
    let held_open = late.transaction().await.unwrap();
    held_open.execute(INSERT, &[]).await.unwrap();
    alone.claim(30).await;
    held_open.commit().await.unwrap();
    alone.none_is_lost().await;
    assert_eq!(next(&alone.worker, alone.by).await.unwrap().job.repo, "late");
    alone.claim(19).await;
    let after = alone.beginning().await;
    assert!(before > 0 && after > before + 2_000, "the beginning stays behind: {before}, {after}");
    alone.server.stop().await;
}

/// A transaction that claims so many passes several of the turns at which a beginning is moved, and nobody sees its first step
/// before its commit. Which step comes first differs.
#[tokio::test]
async fn a_job_that_arrives_beside_a_claim_of_many_is_found() {
    let alone = Alone::start().await;
    let (mut claims, mut late) = (alone.client("codeteam_worker").await, alone.client("codeteam_api").await);
    submit(&alone.api, "r", 6_000).await;
    for hundreds in 0..4 {
        alone.claim(hundreds).await;
        let claiming = claims.transaction().await.unwrap();
        let sql = "select count(*) from codeteam.claim_jobs($1, 'mechanic', 300)";
        assert_eq!(claiming.query_one(sql, &[&alone.by.0]).await.unwrap().get::<_, i64>(0), 300);
        let held_open = late.transaction().await.unwrap();
        held_open.execute(INSERT, &[]).await.unwrap();
        claiming.commit().await.unwrap();
        alone.claim(8).await;
        held_open.commit().await.unwrap();
        alone.none_is_lost().await;
        assert_eq!(next(&alone.worker, alone.by).await.unwrap().job.repo, "late");
    }
    alone.server.stop().await;
}

#[tokio::test]
async fn a_job_from_an_old_snapshot_is_found() {
    let alone = Alone::start().await;
    submit(&alone.api, "late", 1).await;
    let failed = next(&alone.worker, alone.by).await.unwrap().claim;
    alone.worker.fail_attempt(&failed, ExitReason::ModelError, "no", None).await.unwrap();
    submit(&alone.api, "r", 3_000).await;
    let retry = format!("select codeteam.retry_job('{}')", failed.job);
    let mut late = alone.client("codeteam_api").await;
    let levels = [IsolationLevel::RepeatableRead, IsolationLevel::Serializable];
    for (level, sql) in [(levels[0], INSERT), (levels[1], INSERT), (levels[0], retry.as_str())] {
        let old = late.build_transaction().isolation_level(level).start().await.unwrap();
        old.query("select from codeteam.jobs limit 1", &[]).await.unwrap();
        alone.claim(8).await;
        old.execute(sql, &[]).await.unwrap();
        old.commit().await.unwrap();
        alone.claim(1).await;
        alone.none_is_lost().await;
    }
    let found = "select count(*) from codeteam.jobs where repo = 'late' and state = 'running'";
    assert_eq!(alone.number(found).await, 3);
    alone.server.stop().await;
}

#[tokio::test]
async fn a_claim_of_many_gets_each_job_once_and_says_so_in_each_journal() {
    let roles = roles().await;
    let by = hired(&roles.worker).await;
    submit(&roles.api, "a", 30).await;
    submit(&roles.api, "b", 30).await;
    let held = roles.worker.claim_many(by, Mode::Mechanic, 40).await.unwrap();
    let ids: std::collections::HashSet<_> = held.iter().map(|held| held.claim.job).collect();
    assert_eq!((held.len(), ids.len()), (40, 40));
    assert!(held.iter().all(|held| held.seq == 1 && held.claim.attempt.0 == 1));
    let of_b = held.iter().filter(|held| held.job.repo == "b").count();
    assert!((19..=20).contains(&of_b), "{of_b} of 40");
    assert_eq!(roles.worker.claim_many(by, Mode::Mechanic, 100).await.unwrap().len(), 20);
}

#[tokio::test]
async fn jobs_whose_time_comes_get_into_line_however_many_they_are() {
    let roles = roles().await;
    let (by, admin) = (hired(&roles.worker).await, roles.database.client("postgres").await);
    admin
        .batch_execute(
            "insert into codeteam.jobs (mode, task, repo, prompt, run_at)
             select 'mechanic', 'bug_fix', 'r', n::text, now() + make_interval(hours => n) from generate_series(1, 350) as n",
        )
        .await
        .unwrap();
    assert!(next(&roles.worker, by).await.is_none());
    // As if so many hours had gone by.
    admin.batch_execute("update codeteam.jobs set run_at = run_at - interval '340.5 hours'").await.unwrap();
    for n in 1..=340 {
        assert_eq!(next(&roles.worker, by).await.expect("it is due").job.prompt, n.to_string());
    }
    assert!(next(&roles.worker, by).await.is_none());
}
