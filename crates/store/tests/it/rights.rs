//! Each service may call its functions and nothing more.

use tokio_postgres::error::SqlState;

async fn refused(role: &str, statements: &[&str]) {
    let database = testkit::TestDatabase::new().await;
    let client = database.client(role).await;
    for statement in statements {
        let error =
            client.batch_execute(statement).await.err().unwrap_or_else(|| panic!("{role} may: {statement}"));
        assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{role}: {statement}: {error:?}");
    }
}

#[tokio::test]
async fn nobody_rewrites_events_or_the_ledger() {
    for role in ["codeteam_api", "codeteam_worker", "codeteam_scaler"] {
        refused(
            role,
            &[
                "update codeteam.events set data = '{}'",
                "delete from codeteam.events",
                "insert into codeteam.events (job_id, seq, attempt, kind, data) values (gen_random_uuid(), 1, 0, 'noted', '{}')",
                "update codeteam.ledger set cost_micros = 0",
                "delete from codeteam.ledger",
                "truncate codeteam.ledger",
                "update codeteam.jobs set state = 'succeeded'",
                "delete from codeteam.jobs",
                "select codeteam.append_event(gen_random_uuid(), 0, 'noted', '{}')",
                "select codeteam.end_job(gen_random_uuid(), 'succeeded', 'verified', 'finished', null)",
                "select codeteam.ring(array['scaler'])",
                "select codeteam.revive(gen_random_uuid(), '{}')",
                "select * from codeteam.dead_letters('{}')",
                "select codeteam.mark_acknowledged('{}', 'me')",
                "create table codeteam.mine ()",
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn a_worker_cannot_submit_and_a_client_cannot_claim() {
    refused(
        "codeteam_worker",
        &[
            "insert into codeteam.jobs (mode, task, repo, prompt) values ('genius', 'feature', 'r', 'p')",
            "select codeteam.submit_job('feature', 'r', 'p')",
            "select * from codeteam.jobs",
            "select * from codeteam.ledger",
            "select codeteam.retry_jobs('{}')",
            "select codeteam.acknowledge_jobs('{}', 'me')",
        ],
    )
    .await;
    refused("codeteam_api", &["select * from codeteam.claim_jobs(gen_random_uuid(), 'mechanic')"]).await;
    refused("codeteam_scaler", &["select * from codeteam.jobs"]).await;
    for role in ["codeteam_api", "codeteam_worker"] {
        refused(role, &["select codeteam.sweep_history('1 day')", "delete from codeteam.swept_days"]).await;
    }
}

#[tokio::test]
async fn a_client_may_enqueue_by_a_plain_insert_but_not_say_where_the_job_stands() {
    let database = testkit::TestDatabase::new().await;
    let client = database.client("codeteam_api").await;
    client
        .batch_execute("insert into codeteam.jobs (mode, task, repo, prompt) values ('mechanic', 'bug_fix', '/srv/app', 'fix it')")
        .await
        .unwrap();
    refused(
        "codeteam_api",
        &["insert into codeteam.jobs (mode, task, repo, prompt, attempt) values ('mechanic', 'bug_fix', 'r', 'p', 7)"],
    )
    .await;
}
