//! Every statement of the program is one that the migrated schema understands.

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

#[tokio::test]
async fn a_claim_walks_an_index_however_long_the_queue_is() {
    let database = testkit::TestDatabase::new().await;
    let client = database.client("postgres").await;
    client
        .batch_execute(
            "insert into codeteam.jobs (mode, task, repo, prompt) select 'mechanic', 'bug_fix', 'r', 'p' from generate_series(1, 20000);
             analyze codeteam.jobs",
        )
        .await
        .unwrap();
    let plan = client
        .query(
            "explain select id from codeteam.jobs j
             where j.state = 'queued' and j.mode = 'mechanic' and j.run_at <= clock_timestamp()
             order by j.priority desc, j.run_at, j.id limit 1 for no key update skip locked",
            &[],
        )
        .await
        .unwrap();
    let plan: String = plan.iter().map(|row| row.get::<_, String>(0) + "\n").collect();
    assert!(plan.contains("jobs_queued") && !plan.contains("Sort"), "{plan}");
}
