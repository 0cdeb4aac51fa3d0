//! Every statement of the program is one that the migrated schema understands.

use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

#[tokio::test]
async fn every_query_prepares_against_the_migrated_schema() {
    let database = testkit::TestDatabase::new().await;
    let client = database.client("postgres").await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/queries");
    let mut prepared = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let sql = std::fs::read_to_string(&path).unwrap();
        client.prepare(&sql).await.unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
        prepared += 1;
    }
    assert!(prepared > 20);
}

/// The pages that a statement touches, those of the functions that it calls included.
pub async fn pages(client: &Client, sql: &str) -> i64 {
    pages_with(client, sql, &[]).await
}

pub async fn pages_with(client: &Client, sql: &str, params: &[&(dyn ToSql + Sync)]) -> i64 {
    let explain = format!("explain (analyze, buffers, format json) {sql}");
    let plan: serde_json::Value = client.query_one(&explain, params).await.unwrap().get(0);
    let of = |name: &str| plan[0]["Plan"][name].as_i64().unwrap();
    of("Shared Hit Blocks") + of("Shared Read Blocks")
}

/// Jobs ready, jobs for another mode, and urgent jobs whose time has not come: none of them makes the others slower.
#[tokio::test]
async fn claiming_looking_and_observing_touch_few_pages_however_long_the_queue_is() {
    let roles = crate::roles().await;
    let client = roles.database.client("postgres").await;
    client
        .batch_execute(
            "insert into codeteam.jobs (mode, task, repo, prompt, priority, run_at)
             select case n % 4 when 0 then 'genius' else 'mechanic' end, 'bug_fix', 'r', 'p',
                    case n % 2 when 0 then 0 else n % 7 end, case n % 2 when 0 then now() else now() + interval '1 day' end
             from generate_series(1, 40000) as n;
             analyze codeteam.jobs",
        )
        .await
        .unwrap();
    let worker = crate::hired(&roles.worker).await;
    let claim = format!("select * from codeteam.claim_jobs('{worker}', 'mechanic')");
    // The first calls of a session also read the catalogue.
    for sql in [claim.as_str(), "select * from codeteam.look('scaler')"] {
        pages(&client, sql).await;
    }
    for (sql, most) in [(claim.as_str(), 200), ("select * from codeteam.look('scaler')", 100)] {
        let touched = pages(&client, sql).await;
        assert!(touched < most, "{sql} touches {touched} pages");
    }
    pages(&client, "select * from codeteam.observe()").await;
    let touched = pages(&client, "select * from codeteam.observe()").await;
    assert!(touched < 6_000, "observing touches {touched} pages: it counts to a thousand, four times");
}

/// The pages that each statement touches when half of a long queue was worked off while a snapshot from before is still in use
/// somewhere, as a report or a backup has one: nothing of what was claimed can be cleared away.
async fn under_an_old_snapshot(repos: u32, statements: &[&str]) -> Vec<i64> {
    let alone = crate::line::Alone::start().await;
    let client = alone.client("postgres").await;
    let insert = format!(
        "insert into codeteam.jobs (mode, task, repo, prompt)
         select 'mechanic', 'bug_fix', n % {repos}, 'p' from generate_series(1, 12000) as n;
         analyze codeteam.jobs"
    );
    client.batch_execute(&insert).await.unwrap();
    let mut reader = alone.client("postgres").await;
    let level = tokio_postgres::IsolationLevel::RepeatableRead;
    let report = reader.build_transaction().isolation_level(level).start().await.unwrap();
    report.query("select from codeteam.jobs limit 1", &[]).await.unwrap();
    alone.claim(60).await;
    let finish = "select codeteam.finish_job(id, attempt, worker_id, 1, 'succeeded', 'none', 'finished', null, '{}', '{}')
                  from codeteam.jobs where state = 'running'";
    assert_eq!(client.query(finish, &[]).await.unwrap().len(), 6_000);
    let client = alone.client("postgres").await;
    let mut touched = Vec::new();
    for sql in statements {
        let sql = sql.replace("$worker", &format!("'{}'", alone.by));
        pages(&client, &sql).await; // reads the catalogue, too
        touched.push(pages(&client, &sql).await);
    }
    report.commit().await.unwrap();
    alone.server.stop().await;
    touched
}

#[tokio::test]
async fn an_old_snapshot_makes_claiming_and_submitting_no_slower() {
    let claim = "select * from codeteam.claim_jobs($worker, 'mechanic')";
    let submit = "select codeteam.submit_job('bug_fix', '1', 'p')";
    for repos in [1, 5_000] {
        let touched = under_an_old_snapshot(repos, &[claim, submit]).await;
        assert!(touched.iter().all(|pages| *pages < 400), "{touched:?} pages with {repos} repositories");
    }
}
