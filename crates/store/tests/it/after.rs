//! Jobs that come after others: released when those succeed, cancelled when they do not, whoever does what at the same moment.

use domain::{ExitReason, JobId, JobState, Mode, NewJob, Outcome, Queueing};
use store::{Claimed, Database, StoreError, Waiting};

use crate::{Roles, hired, journal_of, roles, soon};

pub fn after(ids: &[JobId]) -> NewJob {
    NewJob { queueing: Queueing { after: ids.to_vec(), ..Queueing::default() }, ..testkit::job() }
}

pub async fn succeed(roles: &Roles, held: &Claimed) {
    let end = (JobState::Succeeded, Outcome::Verified, ExitReason::Finished);
    journal_of(&roles.worker, held).finish(end, None, &[], soon()).await.unwrap();
}

pub async fn fail(database: &Database, held: &Claimed) {
    let state = database.fail_attempt(&held.claim, ExitReason::ModelError, "it broke", None).await.unwrap();
    assert_eq!(state, JobState::Failed);
}

pub async fn claim(roles: &Roles) -> Option<Claimed> {
    let by = hired(&roles.worker).await;
    roles.worker.claim(by, Mode::Mechanic).await.unwrap()
}

async fn waiting(job: JobId, roles: &Roles) -> Option<Waiting> {
    roles.api.job(job).await.unwrap().waiting
}

#[tokio::test]
async fn a_job_is_released_when_all_that_it_comes_after_have_succeeded() {
    let roles = roles().await;
    let first = roles.api.submit(&testkit::job()).await.unwrap();
    let second = roles.api.submit(&testkit::job()).await.unwrap();
    let last = roles.api.submit(&after(&[second, first, first])).await.unwrap();
    let mut both = [first, second];
    both.sort();
    assert_eq!(waiting(last, &roles).await, Some(Waiting::Jobs { awaited: both.to_vec() }));
    let seen = roles.database.store("codeteam_scaler").await.observe().await.unwrap();
    assert_eq!((seen.mechanic.ready, seen.mechanic.for_jobs), (2, 1));

    let held = claim(&roles).await.unwrap();
    assert_eq!(held.claim.job, first);
    succeed(&roles, &held).await;
    assert_eq!(waiting(last, &roles).await, Some(Waiting::Jobs { awaited: vec![second] }));
    let held = claim(&roles).await.unwrap();
    assert_eq!(held.claim.job, second);
    assert!(claim(&roles).await.is_none(), "the last one waits");
    succeed(&roles, &held).await;
    assert_eq!(claim(&roles).await.unwrap().claim.job, last);
}

#[tokio::test]
async fn its_own_time_still_holds_and_what_has_succeeded_counts() {
    let roles = roles().await;
    let first = roles.api.submit(&testkit::job()).await.unwrap();
    succeed(&roles, &claim(&roles).await.unwrap()).await;
    let tomorrow = jiff::Timestamp::now() + std::time::Duration::from_secs(86_400);
    let mut later = after(&[first]);
    later.queueing.run_at = Some(tomorrow);
    let later = roles.api.submit(&later).await.unwrap();
    assert_eq!(waiting(later, &roles).await, Some(Waiting::Time));
    assert!(claim(&roles).await.is_none());
    let now = roles.api.submit(&after(&[first])).await.unwrap();
    assert_eq!(claim(&roles).await.unwrap().claim.job, now);
}

#[tokio::test]
async fn what_comes_after_a_job_that_did_not_succeed_is_cancelled_and_says_why() {
    for end in [JobState::Failed, JobState::Dead, JobState::Cancelled] {
        let roles = roles().await;
        let first = roles.api.submit(&testkit::job()).await.unwrap();
        let second = roles.api.submit(&after(&[first])).await.unwrap();
        let third = roles.api.submit(&after(&[second])).await.unwrap();
        let admin = roles.database.client("postgres").await;
        let sql = "select codeteam.end_job($1, $2, 'none', 'lost_worker', null)";
        admin.batch_execute("set search_path = codeteam").await.unwrap();
        admin.execute(sql, &[&first.0, &end.as_str()]).await.unwrap();
        let (second, third) = (roles.api.job(second).await.unwrap(), roles.api.job(third).await.unwrap());
        for job in [&second, &third] {
            assert_eq!((job.state, job.exit_reason), (JobState::Cancelled, Some(ExitReason::Cancelled)));
            let told = roles.api.events(job.id, 0, 10).await.unwrap();
            assert_eq!(told.len(), 1, "the end is in the journal: {told:?}");
        }
        assert!(second.error.unwrap().contains(&format!("after job {first}, which is {end}")));
        assert!(third.error.unwrap().contains(&format!("after job {}, which is cancelled", second.id)));
    }
}

#[tokio::test]
async fn jobs_of_one_call_may_come_after_one_another_in_any_order() {
    let roles = roles().await;
    let ids: Vec<JobId> = (0..5).map(|_| JobId(uuid::Uuid::new_v4())).collect();
    // 4 after 3 after 2 after 1 after 0, and 4 after 0, the last one first.
    let jobs: Vec<NewJob> = (0..5)
        .map(|n| match n {
            0 => testkit::job(),
            4 => after(&[ids[3], ids[0]]),
            n => after(&[ids[n - 1]]),
        })
        .collect();
    let asked: Vec<_> = ids.iter().copied().zip(&jobs).rev().collect();
    assert_eq!(roles.api.submit_as(&asked).await.unwrap(), ids.iter().rev().copied().collect::<Vec<_>>());
    for id in &ids {
        let held = claim(&roles).await.unwrap();
        assert_eq!(held.claim.job, *id);
        assert!(claim(&roles).await.is_none(), "one after the other");
        succeed(&roles, &held).await;
    }
    // Said again when its answer was lost: nothing is made, though one of them could not be made any more.
    assert_eq!(roles.api.submit_as(&asked).await.unwrap().len(), 5);
}

#[tokio::test]
async fn what_cannot_be_waited_for_is_refused_by_name() {
    let roles = roles().await;
    let [a, b, c] = [1u128, 2, 3].map(|n| JobId(uuid::Uuid::from_u128(n)));
    let failed = roles.api.submit(&testkit::job()).await.unwrap();
    roles.api.cancel(failed).await.unwrap();
    let many: Vec<JobId> = (0..101).map(|n| JobId(uuid::Uuid::from_u128(n + 10))).collect();
    let cases: [(Vec<(JobId, NewJob)>, String); 6] = [
        (vec![(a, after(&[b]))], format!("after job {b}, and there is none")),
        (vec![(a, after(&[a]))], format!("job {a} is to come after itself")),
        (vec![(a, after(&[failed]))], format!("{failed}, which is cancelled: retry that one first")),
        (vec![(a, after(&many))], format!("job {a} is to come after 101 jobs")),
        (vec![(a, after(&[b])), (b, after(&[a]))], "come after it: break the cycle".into()),
        (
            vec![(a, testkit::job()), (b, after(&[a, c])), (c, after(&[b, a]))],
            "come after it: break the cycle".into(),
        ),
    ];
    for (jobs, expected) in cases {
        let asked: Vec<_> = jobs.iter().map(|(id, job)| (*id, job)).collect();
        let error = roles.api.submit_as(&asked).await.unwrap_err();
        assert!(matches!(&error, StoreError::InvalidAfter(said) if said.contains(&expected)), "{error}");
    }
    let client = roles.database.client("codeteam_api").await;
    for after in ["array[null]::uuid[]", "array[array[gen_random_uuid()]]"] {
        let sql = format!(
            "insert into codeteam.jobs (mode, task, repo, prompt, after) values ('genius', 'feature', 'r', 'p', {after})"
        );
        let error = client.batch_execute(&sql).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "QJ011");
    }
    assert_eq!(roles.api.jobs(store::JobFilter::default(), 10).await.unwrap().len(), 1, "nothing was made");
}

/// The cycle's own members are named, not those that merely wait for it.
#[tokio::test]
async fn a_cycle_is_named_by_one_of_its_members() {
    let roles = roles().await;
    let ids: Vec<JobId> = (1..=6).map(|n| JobId(uuid::Uuid::from_u128(n))).collect();
    let chain = [vec![ids[1]], vec![ids[2]], vec![ids[3]], vec![ids[4]], vec![ids[3]], vec![]];
    let jobs: Vec<NewJob> = chain.iter().map(|ids| after(ids)).collect();
    let asked: Vec<_> = ids.iter().copied().zip(&jobs).collect();
    let error = roles.api.submit_as(&asked).await.unwrap_err().to_string();
    assert!(error.contains(&ids[3].to_string()) || error.contains(&ids[4].to_string()), "{error}");
}

#[tokio::test]
async fn a_chain_of_ten_thousand_is_cancelled_to_its_end() {
    let roles = roles().await;
    let client = roles.database.client("codeteam_api").await;
    // Named from the last to the first, so that each names one that comes later in the array.
    client
        .batch_execute(
            "select count(*) from codeteam.submit_jobs((
               select jsonb_agg(jsonb_build_object('id', md5(n::text)::uuid, 'task', 'review', 'repo', 'r', 'prompt', 'p') ||
                                case n when 1 then '{}' else jsonb_build_object('after', array[md5((n - 1)::text)::uuid]) end
                                order by n desc)
               from generate_series(1, 10000) n));
             select codeteam.cancel_job(md5('1')::uuid)",
        )
        .await
        .unwrap();
    let row = client
        .query_one(
            "select count(*) filter (where state = 'cancelled'), max(depth), (select count(*) from codeteam.job_dependencies)
             from codeteam.jobs",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i32>(1), row.get::<_, i64>(2)), (10_000, 9_999, 0));
}

#[tokio::test]
async fn a_retried_job_waits_again_for_what_is_on_its_way_again() {
    let roles = roles().await;
    let first = roles.api.submit(&testkit::job()).await.unwrap();
    let second = roles.api.submit(&after(&[first])).await.unwrap();
    let third = roles.api.submit(&after(&[second])).await.unwrap();
    fail(&roles.worker, &claim(&roles).await.unwrap()).await;
    roles.api.retry(first).await.unwrap();
    assert_eq!(
        roles.api.job(second).await.unwrap().state,
        JobState::Cancelled,
        "a retry brings nothing else back"
    );
    roles.api.retry(second).await.unwrap();
    assert_eq!(waiting(second, &roles).await, Some(Waiting::Jobs { awaited: vec![first] }));
    for expected in [first, second] {
        let held = claim(&roles).await.unwrap();
        assert_eq!(held.claim.job, expected);
        succeed(&roles, &held).await;
    }
    roles.api.retry(third).await.unwrap();
    assert_eq!(claim(&roles).await.unwrap().claim.job, third, "what it came after has succeeded");
}

#[tokio::test]
async fn a_finished_job_can_be_deleted_and_nobody_waits_for_its_row() {
    let roles = roles().await;
    let first = roles.api.submit(&testkit::job()).await.unwrap();
    let other = roles.api.submit(&testkit::job()).await.unwrap();
    let last = roles.api.submit(&after(&[first, other])).await.unwrap();
    succeed(&roles, &claim(&roles).await.unwrap()).await;
    let admin = roles.database.client("postgres").await;
    admin.execute("delete from codeteam.jobs where id = $1", &[&first.0]).await.unwrap();
    succeed(&roles, &claim(&roles).await.unwrap()).await;
    assert_eq!(claim(&roles).await.unwrap().claim.job, last);
}
