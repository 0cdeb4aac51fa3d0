//! Lists and counts stay cheap on a big table.

use domain::{JobId, JobState, Mode};
use store::{Counted, JobFilter, JobRow};

use crate::statements::{pages, pages_with};

#[tokio::test]
async fn pages_follow_one_another_without_gap_or_overlap() {
    let roles = crate::roles().await;
    let owner = roles.database.client("postgres").await;
    // Many were made at the same moment, as those of one call are.
    owner
        .batch_execute(
            "insert into codeteam.jobs (mode, task, repo, prompt, state, outcome, exit_reason, created_at, finished_at)
             select case n % 3 when 0 then 'genius' else 'mechanic' end, 'bug_fix', 'r', 'p',
                    case n % 2 when 0 then 'failed' else 'succeeded' end, 'none', 'finished',
                    now() - n / 10 * interval '1 hour', now()
             from generate_series(1, 95) as n",
        )
        .await
        .unwrap();
    let cases = [
        (None, None, 95),
        (Some(JobState::Failed), None, 47),
        (None, Some(Mode::Genius), 31),
        (Some(JobState::Failed), Some(Mode::Genius), 15),
        (Some(JobState::Queued), None, 0),
    ];
    for (state, mode, expected) in cases {
        let mut filter = JobFilter { state, mode, ..JobFilter::default() };
        let mut seen: Vec<JobRow> = Vec::new();
        loop {
            let page = roles.api.jobs(filter, 20).await.unwrap();
            let Some(last) = page.last() else { break };
            filter.before = Some((last.created_at, last.id));
            seen.extend(page);
        }
        let mut order: Vec<_> = seen.iter().map(|job| (job.created_at, job.id.0)).collect();
        assert!(order.is_sorted_by(|a, b| a > b), "newest first, each once");
        order.dedup();
        assert_eq!(order.len(), expected, "{state:?} {mode:?}");
        assert!(seen.iter().all(|job| state.is_none_or(|state| job.state == state)));
        assert!(seen.iter().all(|job| mode.is_none_or(|mode| job.mode == mode)));
    }
}

#[tokio::test]
async fn a_job_is_found_by_the_first_characters_of_its_id() {
    let roles = crate::roles().await;
    let owner = roles.database.client("postgres").await;
    for id in ["abcd1234-0000-4000-8000-000000000001", "abcd1234-0000-4000-8000-000000000002"] {
        let sql = format!(
            "insert into codeteam.jobs (id, mode, task, repo, prompt) values ('{id}', 'mechanic', 'bug_fix', 'r', 'p')"
        );
        owner.batch_execute(&sql).await.unwrap();
    }
    let whole: JobId = JobId("abcd1234-0000-4000-8000-000000000002".parse().unwrap());
    assert_eq!(roles.api.find_job(&whole.to_string()).await.unwrap(), whole);
    assert_eq!(roles.api.find_job("ABCD1234-0000-4000-8000-000000000002").await.unwrap(), whole);
    for (prefix, says) in [
        ("abcd", "more than one job starts with abcd"),
        ("abce", "there is no job abce"),
        ("ab", "give at least its first 4 characters"),
        ("x' or 1=1", "is no job id"),
    ] {
        let error = roles.api.find_job(prefix).await.unwrap_err().to_string();
        assert!(error.contains(says), "{prefix}: {error}");
    }
}

/// Two hundred thousand finished jobs, whose few failures are the oldest, and a queue of which one mode has the oldest jobs of all.
#[tokio::test]
async fn listing_finding_counting_and_sweeping_touch_few_pages_however_many_jobs_there_are() {
    let roles = crate::roles().await;
    let client = roles.database.client("postgres").await;
    client
        .batch_execute(
            "insert into codeteam.jobs (mode, task, repo, prompt, state, outcome, exit_reason, created_at, finished_at)
             select case n % 10 when 0 then 'genius' else 'mechanic' end, 'bug_fix', 'r', 'p',
                    case when n <= 15 then 'failed' when n <= 30 then 'dead' else 'succeeded' end, 'none', 'finished',
                    now() - (200000 - n) * interval '1 minute', now() - (200000 - n) * interval '1 minute'
             from generate_series(1, 200000) as n;
             insert into codeteam.jobs (mode, task, repo, prompt, created_at)
             select case when n <= 5 then 'genius' else 'mechanic' end, 'bug_fix', 'r', 'p',
                    now() - case when n <= 5 then interval '1 year' else interval '0' end
             from generate_series(1, 10010) as n",
        )
        .await
        .unwrap();
    client.batch_execute("vacuum (analyze) codeteam.jobs").await.unwrap();
    let table: i64 = client
        .query_one("select pg_relation_size('codeteam.jobs') / current_setting('block_size')::bigint", &[])
        .await
        .unwrap()
        .get(0);
    assert!(table > 4_000, "a table of {table} pages shows nothing");

    // The first call of a session also reads the catalogue.
    let (counts, sweep) =
        ("select * from codeteam.counts()", "select * from codeteam.sweep_history('90 days')");
    pages(&client, counts).await;
    let touched = pages(&client, counts).await;
    assert!(touched < 1_500, "counting touches {touched} pages");
    pages(&client, sweep).await;
    let touched = pages(&client, sweep).await;
    assert!(touched < 5_000, "a batch of a hundred jobs touches {touched} pages");

    let find = include_str!("../../queries/find_job.sql");
    let (first, last) = (uuid::Uuid::from_u128(0x1234 << 112), uuid::Uuid::from_u128(0x1235 << 112));
    let touched = pages_with(&client, find, &[&first, &last]).await;
    assert!(touched < 50, "finding a job touches {touched} pages");

    let list = include_str!("../../queries/jobs.sql");
    let (no_job, no_cursor) = (None::<uuid::Uuid>, None::<jiff::Timestamp>);
    let states = JobState::ALL.iter().map(|state| vec![state.as_str()]);
    for states in states.chain([JobState::ALL.iter().map(|state| state.as_str()).collect()]) {
        for modes in [vec!["mechanic"], vec!["genius"], vec!["mechanic", "genius"]] {
            for cursor in
                [no_cursor, Some(jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * 100))]
            {
                let job = cursor.map(|_| uuid::Uuid::nil());
                let touched =
                    pages_with(&client, list, &[&no_job, &states, &modes, &cursor, &job, &20_i64]).await;
                assert!(
                    touched < 400,
                    "twenty of {states:?} {modes:?} after {cursor:?} touch {touched} pages"
                );
            }
        }
    }

    let counts = roles.api.counts().await.unwrap();
    assert_eq!(counts.0.len(), JobState::ALL.len() * Mode::ALL.len());
    assert_eq!(counts.of(JobState::Succeeded), Counted::MoreThan(20_000), "of each mode");
    assert_eq!(
        counts.of(JobState::Queued),
        Counted::MoreThan(10_005),
        "the five of the other mode are counted"
    );
    assert_eq!(counts.of(JobState::Dead), Counted::Exactly(15));
    assert_eq!(counts.of(JobState::Running), Counted::Exactly(0));
}
