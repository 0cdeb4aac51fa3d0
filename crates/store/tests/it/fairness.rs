//! Whose turn it is: the highest priority first, then one job of each repository after the other, then the oldest.
//!
//! What is promised, exactly: a job that gets into line while none of its repository stands there waits for at most two jobs of
//! each other repository of its priority; the n-th waiting job of a repository for at most n + 1 of each. Jobs that are given back
//! come on top of that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use domain::{ExitReason, Mode, NewJob, Queueing, WorkerId};
use store::{Claimed, Database};

use crate::{hired, roles};

/// A job of this repository.
pub fn of(repo: &str) -> NewJob {
    NewJob { repo: repo.into(), ..testkit::job() }
}

pub async fn submit(api: &Database, repo: &str, jobs: usize) {
    api.submit_all(&vec![of(repo); jobs]).await.unwrap();
}

/// Claims the next job. It stays running.
pub async fn next(workers: &Database, by: WorkerId) -> Option<Claimed> {
    workers.claim(by, Mode::Mechanic).await.unwrap()
}

/// Claims until it gets a job of `repo`; gives how many of each other one came before.
async fn waits_for(workers: &Database, by: WorkerId, repo: &str) -> HashMap<String, usize> {
    let mut before = HashMap::new();
    loop {
        let claimed = next(workers, by).await.expect("the job stands in line");
        if claimed.job.repo == repo {
            return before;
        }
        *before.entry(claimed.job.repo).or_default() += 1;
    }
}

#[track_caller]
fn none_above(most: usize, counts: &HashMap<String, usize>) {
    assert!(counts.values().all(|count| *count <= most), "more than {most}: {counts:?}");
}

#[tokio::test]
async fn whoever_queues_a_thousand_jobs_is_passed_by_another_repositorys_first() {
    let roles = roles().await;
    let by = hired(&roles.worker).await;
    submit(&roles.api, "many", 1_000).await;
    submit(&roles.api, "first", 1).await;
    none_above(2, &waits_for(&roles.worker, by, "first").await);
    roles.worker.claim_many(by, Mode::Mechanic, 400).await.unwrap();
    submit(&roles.api, "second", 3).await;
    for _ in 0..3 {
        none_above(2, &waits_for(&roles.worker, by, "second").await);
    }
}

#[tokio::test]
async fn ten_repositories_take_turns() {
    let roles = roles().await;
    let by = hired(&roles.worker).await;
    for repo in 0..10 {
        submit(&roles.api, &format!("r{repo}"), 20).await;
    }
    let mut served: HashMap<String, usize> = (0..10).map(|repo| (format!("r{repo}"), 0)).collect();
    while let Some(claimed) = next(&roles.worker, by).await {
        *served.entry(claimed.job.repo).or_default() += 1;
        let most = served.values().copied().max().unwrap();
        assert!(served.values().all(|count| most - count <= 2), "some are ahead of others: {served:?}");
    }
    assert!(served.values().all(|count| *count == 20), "{served:?}");
}

#[tokio::test]
async fn eight_who_claim_at_once_get_every_job_once_and_serve_repositories_evenly() {
    let roles = roles().await;
    for repo in ["a", "b", "c", "d"] {
        submit(&roles.api, repo, 60).await;
    }
    let served: Arc<Mutex<Vec<(domain::JobId, String)>>> = Arc::default();
    let mut claimers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (database, served) = (roles.database.store("codeteam_worker").await, served.clone());
        claimers.spawn(async move {
            let by = hired(&database).await;
            while let Some(claimed) = database.claim(by, Mode::Mechanic).await.unwrap() {
                served.lock().unwrap().push((claimed.claim.job, claimed.job.repo));
            }
        });
    }
    claimers.join_all().await;
    let served = served.lock().unwrap();
    let ids: std::collections::HashSet<_> = served.iter().map(|(id, _)| id).collect();
    assert_eq!((ids.len(), served.len()), (240, 240));
    // Each of the eight may be one job ahead or behind what it has told us.
    let of = |repo: &str| served[..120].iter().filter(|(_, served)| served == repo).count();
    for repo in ["a", "b", "c", "d"] {
        assert!((30 - 10..=30 + 10).contains(&of(repo)), "{} of {repo} among the first 120", of(repo));
    }
}

#[tokio::test]
async fn a_higher_priority_passes_whole_repositories_and_is_fair_in_itself() {
    let roles = roles().await;
    let by = hired(&roles.worker).await;
    submit(&roles.api, "patient", 50).await;
    next(&roles.worker, by).await.unwrap();
    let urgent = |repo| NewJob { queueing: Queueing { priority: 9, ..Queueing::default() }, ..of(repo) };
    roles.api.submit_all(&[vec![urgent("patient"); 5], vec![urgent("other"); 2]].concat()).await.unwrap();
    let mut order = Vec::new();
    for _ in 0..8 {
        order.push(next(&roles.worker, by).await.unwrap().job.repo);
    }
    assert!(order[..4].contains(&"other".into()), "{order:?}");
    assert_eq!(order[..7].iter().filter(|repo| *repo == "other").count(), 2, "{order:?}");
}

async fn give_back(database: &Database, held: &Claimed) {
    database.release(&held.claim, "drain").await.unwrap();
}

#[tokio::test]
async fn interrupted_jobs_go_to_the_head_however_far_the_line_has_moved() {
    let roles = roles().await;
    let by = hired(&roles.worker).await;
    submit(&roles.api, "r", 1_500).await;
    for _ in 0..10 {
        let held = roles.worker.claim_many(by, Mode::Mechanic, 140).await.unwrap();
        submit(&roles.api, "newcomer", 1).await;
        for held in &held[..3] {
            give_back(&roles.worker, held).await;
        }
        let mut again = Vec::new();
        for _ in 0..3 {
            again.push(next(&roles.worker, by).await.unwrap().claim.job);
        }
        assert!(held[..3].iter().all(|held| again.contains(&held.claim.job)));
    }
}

/// An interrupted job stands at the head for as long as nobody claims it. Its place must not be the measure for newcomers.
#[tokio::test]
async fn an_interrupted_job_lets_nobody_pass_those_who_wait() {
    let roles = roles().await;
    let by = hired(&roles.worker).await;
    submit(&roles.api, "waits", 110).await;
    let held = roles.worker.claim_many(by, Mode::Mechanic, 100).await.unwrap();
    give_back(&roles.worker, &held[0]).await;
    submit(&roles.api, "newcomer", 200).await;
    assert_eq!(next(&roles.worker, by).await.unwrap().claim.job, held[0].claim.job);
    none_above(2, &waits_for(&roles.worker, by, "waits").await);
}

#[tokio::test]
async fn a_job_that_is_tried_again_waits_for_those_before_it_and_for_no_others() {
    let roles = roles().await;
    let by = hired(&roles.worker).await;
    submit(&roles.api, "other", 300).await;
    submit(&roles.api, "own", 1).await;
    let failed = loop {
        let held = next(&roles.worker, by).await.unwrap();
        if held.job.repo == "own" {
            break held.claim;
        }
    };
    submit(&roles.api, "own", 20).await;
    let error = roles.worker.fail_attempt(&failed, ExitReason::ModelError, "no", None);
    error.await.unwrap();
    roles.api.retry(failed.job).await.unwrap();
    submit(&roles.api, "own", 20).await;
    let mut before: HashMap<String, usize> = HashMap::new();
    loop {
        let held = next(&roles.worker, by).await.unwrap();
        if held.claim.job == failed.job {
            break;
        }
        *before.entry(held.job.repo).or_default() += 1;
    }
    assert_eq!(before["own"], 20);
    none_above(22, &before);
}
