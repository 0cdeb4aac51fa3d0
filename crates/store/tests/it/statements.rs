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
    let claim = format!("select * from codeteam.claim_job('{worker}', 'mechanic')");
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
