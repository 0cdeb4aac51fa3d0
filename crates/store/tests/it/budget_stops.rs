//! What becomes of jobs while a budget is spent, and when it opens.

use std::time::Duration;

use domain::{Event, JobId, JobState, Mode, Money, NewJob, Queueing};
use store::{Basis, BudgetStop, Doorbell, ModeObservation, Period, Topic, Verdict, Wake};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::budgets::{REPO, a_day_passes, budget, claimed, is_spent, of, reserve, settle};
use crate::doorbell::rings;
use crate::groups::finish;
use crate::{Roles, hired, roles};

/// A job that found a budget of 1,000 with 400 left too small for its next call, and waits.
async fn waiting(roles: &Roles, repo: Option<&str>, period: Period) -> JobId {
    roles.api.set_budget(repo, period, Money(1_000)).await.unwrap();
    let held = claimed(roles, REPO).await;
    reserve(&roles.worker, &held, 1, 600).await.unwrap();
    settle(&roles.worker, &held, 1, Basis::Reported, 600).await;
    assert!(is_spent(&reserve(&roles.worker, &held, 2, 600).await));
    roles.worker.wait_for_budget(&held.claim, Money(600)).await.unwrap();
    held.claim.job
}

async fn claimed_as(roles: &Roles, job: JobId) -> store::Claimed {
    let by = hired(&roles.worker).await;
    let held = roles.worker.claim(by, Mode::Mechanic).await.unwrap().unwrap();
    assert_eq!(held.claim.job, job);
    held
}

async fn waiting_with(roles: &Roles, held: &store::Claimed) -> JobId {
    roles.api.set_budget(Some(REPO), Period::Day, Money(1_000)).await.unwrap();
    reserve(&roles.worker, held, 1, 600).await.unwrap();
    assert!(is_spent(&reserve(&roles.worker, held, 2, 600).await));
    roles.worker.wait_for_budget(&held.claim, Money(600)).await.unwrap();
    held.claim.job
}

async fn seen(roles: &Roles) -> ModeObservation {
    roles.database.store("codeteam_scaler").await.observe().await.unwrap().mechanic
}

async fn next(roles: &Roles) -> Option<JobId> {
    let by = hired(&roles.worker).await;
    roles.worker.claim(by, Mode::Mechanic).await.unwrap().map(|held| held.claim.job)
}

/// Whether a worker would wake now.
async fn is_ready(roles: &Roles) -> bool {
    let admin = roles.database.client("postgres").await;
    admin.query_one("select ready from codeteam.look('mechanic')", &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_repository_whose_budget_is_spent_waits_and_the_others_go_on() {
    let roles = roles().await;
    let queued = roles.api.submit(&of(REPO)).await.unwrap();
    let at_work = claimed_as(&roles, queued).await;
    roles.api.submit_all(&vec![of(REPO); 3]).await.unwrap();
    let job = waiting_with(&roles, &at_work).await;
    let born = roles.api.submit(&of(REPO)).await.unwrap();
    let other = roles.api.submit(&of("/srv/other")).await.unwrap();

    assert_eq!(next(&roles).await, Some(other));
    assert_eq!(next(&roles).await, None);
    let seen = seen(&roles).await;
    assert_eq!((seen.ready, seen.for_budget, seen.running), (0, 5, 1));
    assert!(seen.next_due.is_some_and(|due| due <= Duration::from_secs(86_400)), "{seen:?}");
    for job in [job, born] {
        let row = roles.api.job(job).await.unwrap();
        assert_eq!((row.state, row.budget_stop.map(|stop| stop.all)), (JobState::Queued, Some(false)));
        assert_eq!(row.budget_stop.and_then(|stop| stop.opens_at), budget(&roles).await.opens_at);
    }
    assert_eq!(roles.api.job(other).await.unwrap().budget_stop, None);
    let events = roles.api.events(job, 0, 100).await.unwrap();
    let Event::Released { reason } = &events.last().unwrap().event else { panic!("{events:?}") };
    assert!(reason.starts_with("the daily budget of this repository is spent"), "{reason}");
}

#[tokio::test]
async fn the_next_day_opens_it_and_who_had_begun_goes_first_with_all_its_attempts() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    let job = waiting(&roles, Some(REPO), Period::Day).await;
    let born = roles.api.submit(&of(REPO)).await.unwrap();
    assert!(!is_ready(&roles).await);
    a_day_passes(&admin).await;
    assert!(is_ready(&roles).await);
    assert_eq!((seen(&roles).await.ready, seen(&roles).await.for_budget), (2, 0));
    assert_eq!(next(&roles).await, Some(job));
    assert_eq!(next(&roles).await, Some(born));
    let row =
        admin.query_one("select failures, deaths from codeteam.jobs where id = $1", &[&job.0]).await.unwrap();
    assert_eq!((row.get::<_, i16>(0), row.get::<_, i16>(1)), (0, 0));
}

#[tokio::test]
async fn a_total_budget_opens_when_it_is_raised_enough_or_cleared_and_not_before() {
    for clear in [false, true] {
        let roles = roles().await;
        let job = waiting(&roles, Some(REPO), Period::Ever).await;
        let stop = roles.api.job(job).await.unwrap().budget_stop;
        assert_eq!(stop, Some(BudgetStop { all: false, opens_at: None }));
        assert_eq!(seen(&roles).await.next_due, None);
        roles.api.set_budget(Some(REPO), Period::Ever, Money(1_199)).await.unwrap();
        assert_eq!((is_ready(&roles).await, next(&roles).await), (false, None), "600 do not fit into 599");
        if clear {
            assert!(roles.api.clear_budget(Some(REPO), Some(Period::Ever)).await.unwrap());
        } else {
            roles.api.set_budget(Some(REPO), Period::Ever, Money(1_200)).await.unwrap();
        }
        assert_eq!((is_ready(&roles).await, next(&roles).await), (true, Some(job)));
    }
}

#[tokio::test]
async fn the_budget_of_all_is_like_a_pause() {
    let roles = roles().await;
    let other = roles.api.submit(&of("/srv/other")).await.unwrap();
    let at_work = claimed_as(&roles, other).await;
    let job = waiting(&roles, None, Period::Day).await;
    roles.api.submit(&of("/srv/third")).await.unwrap();
    let verdicts = roles.worker.heartbeat(at_work.claim.worker, &[at_work.claim]).await.unwrap();
    assert_eq!(verdicts, [Verdict::Budget]);
    assert!(is_spent(&reserve(&roles.worker, &at_work, 1, 10).await), "what is left is for nobody");
    assert_eq!(next(&roles).await, None);
    let now = seen(&roles).await;
    assert_eq!((now.ready, now.for_budget, now.running), (0, 2, 1));
    assert!(now.next_due.is_some() && roles.api.job(job).await.unwrap().budget_stop.unwrap().all);
    a_day_passes(&roles.database.client("postgres").await).await;
    assert_eq!((seen(&roles).await.ready, next(&roles).await), (2, Some(job)));
    let verdicts = roles.worker.heartbeat(at_work.claim.worker, &[at_work.claim]).await.unwrap();
    assert_eq!(verdicts, [Verdict::Ok]);
}

#[tokio::test]
async fn a_settlement_that_makes_room_ends_the_wait() {
    let roles = roles().await;
    roles.api.set_budget(Some(REPO), Period::Day, Money(1_000)).await.unwrap();
    let (first, second) = (claimed(&roles, REPO).await, claimed(&roles, REPO).await);
    let third = claimed(&roles, REPO).await;
    reserve(&roles.worker, &first, 1, 450).await.unwrap();
    reserve(&roles.worker, &second, 1, 450).await.unwrap();
    assert!(is_spent(&reserve(&roles.worker, &third, 1, 450).await));
    roles.worker.wait_for_budget(&third.claim, Money(450)).await.unwrap();
    settle(&roles.worker, &first, 1, Basis::Reported, 300).await;
    assert_eq!(next(&roles).await, None, "250 are left");
    settle(&roles.worker, &second, 1, Basis::Reported, 20).await;
    assert_eq!(budget(&roles).await.stopped_since, None);
    assert_eq!(next(&roles).await, Some(third.claim.job));
}

#[tokio::test]
async fn who_is_refused_while_others_settle_waits_only_if_there_is_still_no_room() {
    let roles = roles().await;
    roles.api.set_budget(Some(REPO), Period::Day, Money(1_000)).await.unwrap();
    let (first, second) = (claimed(&roles, REPO).await, claimed(&roles, REPO).await);
    reserve(&roles.worker, &first, 1, 900).await.unwrap();
    assert!(is_spent(&reserve(&roles.worker, &second, 1, 450).await));
    settle(&roles.worker, &first, 1, Basis::Reported, 20).await;
    roles.worker.wait_for_budget(&second.claim, Money(450)).await.unwrap();
    assert_eq!(next(&roles).await, Some(second.claim.job));
}

/// Both races of an insert that is committed late: the stop began, or ended, after it had looked.
#[tokio::test]
async fn an_insert_that_is_committed_late_neither_slips_through_nor_waits_for_ever() {
    let insert = "insert into codeteam.jobs (mode, task, repo, prompt) values ('mechanic', 'bug_fix', '/srv/app', 'late')";
    let roles = roles().await;
    let mut client = roles.database.client("codeteam_api").await;
    let late = client.transaction().await.unwrap();
    late.execute(insert, &[]).await.unwrap();
    let job = waiting(&roles, Some(REPO), Period::Ever).await;
    late.commit().await.unwrap();
    assert_eq!((seen(&roles).await.ready, next(&roles).await), (1, None), "the claim parks it");
    assert_eq!((seen(&roles).await.for_budget, is_ready(&roles).await), (2, false));

    let late = client.transaction().await.unwrap();
    late.execute(insert, &[]).await.unwrap();
    roles.api.clear_budget(Some(REPO), None).await.unwrap();
    assert_eq!(next(&roles).await, Some(job));
    assert!(next(&roles).await.is_some());
    let sleeper = roles.database.client("codeteam_worker").await;
    sleeper.query("select codeteam.doze('mechanic', gen_random_uuid())", &[]).await.unwrap();
    let heard = rings(&roles.database, &["codeteam_mechanic"], async || late.commit().await.unwrap()).await;
    assert_eq!(heard, ["codeteam_mechanic"]);
    assert!(is_ready(&roles).await && next(&roles).await.is_some());
}

#[tokio::test]
async fn an_insert_into_a_stopped_repository_wakes_nobody_and_a_raised_budget_does() {
    let roles = roles().await;
    let job = waiting(&roles, Some(REPO), Period::Ever).await;
    let sleeper = roles.database.client("codeteam_worker").await;
    sleeper.query("select codeteam.doze('mechanic', gen_random_uuid())", &[]).await.unwrap();
    let heard = rings(&roles.database, &["codeteam_mechanic"], async || {
        roles.api.submit_all(&vec![of(REPO); 5]).await.unwrap();
    })
    .await;
    assert!(heard.is_empty(), "{heard:?}");
    let heard = rings(&roles.database, &["codeteam_mechanic"], async || {
        roles.api.set_budget(Some(REPO), Period::Ever, Money(5_000)).await.unwrap();
    })
    .await;
    assert_eq!(heard, ["codeteam_mechanic"]);
    assert_eq!(next(&roles).await, Some(job));
}

#[tokio::test]
async fn a_sleeper_wakes_by_itself_when_the_day_begins() {
    let roles = roles().await;
    let job = waiting(&roles, Some(REPO), Period::Day).await;
    let admin = roles.database.client("postgres").await;
    let soon = "update codeteam.budget_stops set opens_at = clock_timestamp() + interval '300 milliseconds'";
    admin.execute(soon, &[]).await.unwrap();
    let by = hired(&roles.worker).await;
    let mut doorbell = Doorbell::new(roles.worker.clone(), Topic::Mode(Mode::Mechanic), by.0);
    let woken = timeout(Duration::from_secs(20), doorbell.sleep()).await.expect("it sleeps on").unwrap();
    assert!(matches!(woken, Wake::Due | Wake::Ready), "{woken:?}");
    assert_eq!(roles.worker.claim(by, Mode::Mechanic).await.unwrap().unwrap().claim.job, job);
}

#[tokio::test]
async fn a_group_goes_on_with_other_repositories_while_one_of_them_waits() {
    let roles = roles().await;
    let in_group = |repo: &str| NewJob {
        queueing: Queueing { group_key: Some("g".into()), ..Queueing::default() },
        ..of(repo)
    };
    roles.api.submit_all(&vec![in_group(REPO); 20]).await.unwrap();
    let other = roles.api.submit(&in_group("/srv/other")).await.unwrap();
    let by = hired(&roles.worker).await;
    let held = roles.worker.claim(by, Mode::Mechanic).await.unwrap().unwrap();
    assert!(roles.worker.claim(by, Mode::Mechanic).await.unwrap().is_none(), "the group is full");
    waiting_with(&roles, &held).await;
    assert_eq!(next(&roles).await, Some(other));
    assert_eq!((seen(&roles).await.for_budget, next(&roles).await), (20, None));
}

#[tokio::test]
async fn a_cancelled_job_does_not_wait_for_a_budget() {
    let roles = roles().await;
    let job = waiting(&roles, Some(REPO), Period::Ever).await;
    assert_eq!(roles.api.cancel(job).await.unwrap(), JobState::Cancelled);
    let running = claimed(&roles, "/srv/other").await;
    roles.api.set_budget(Some("/srv/other"), Period::Ever, Money(1)).await.unwrap();
    roles.api.cancel(running.claim.job).await.unwrap();
    roles.worker.wait_for_budget(&running.claim, Money(2)).await.unwrap();
    assert_eq!(roles.api.job(running.claim.job).await.unwrap().state, JobState::Cancelled);
}

/// Eight workers, whose calls cost much less than they could, beside inserts and a budget that grows: whoever is refused waits, and in
/// the end everything is done.
#[tokio::test]
async fn whatever_happens_at_once_the_budget_holds_and_no_job_is_left_behind() {
    const JOBS: usize = 60;
    let roles = roles().await;
    roles.api.set_budget(None, Period::Day, Money(100_000)).await.unwrap();
    roles.api.set_budget(Some(REPO), Period::Ever, Money(1_000)).await.unwrap();
    let mut workers = JoinSet::new();
    for n in 0..8 {
        let own = roles.database.store("codeteam_worker").await;
        let by = hired(&own).await;
        workers.spawn(async move {
            loop {
                let Some(held) = own.claim(by, Mode::Mechanic).await.unwrap() else { continue };
                let (call, worst) = (held.claim.attempt.0.unsigned_abs(), 300 + n);
                let reserved = reserve(&own, &held, call, worst).await;
                if is_spent(&reserved) {
                    own.wait_for_budget(&held.claim, Money(worst)).await.unwrap();
                } else {
                    reserved.unwrap();
                    settle(&own, &held, call, Basis::Reported, 20).await;
                    finish(&own, &held).await.unwrap();
                }
            }
        });
    }
    for _ in 0..JOBS {
        roles.api.submit(&of(REPO)).await.unwrap();
    }
    let admin = roles.database.client("postgres").await;
    let open = "select count(*) from codeteam.jobs where state in ('queued', 'running')";
    let mut limit = 1_000;
    while admin.query_one(open, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(workers.try_join_next().is_none(), "a worker gave up");
        let budgets = roles.api.budgets().await.unwrap();
        assert!(budgets.iter().all(|budget| budget.spent <= budget.limit), "{budgets:?}");
        if budgets[1].stopped_since.is_some() {
            limit += 100;
            roles.api.set_budget(Some(REPO), Period::Ever, Money(limit)).await.unwrap();
        }
    }
    workers.abort_all();
    let spent = roles.api.budgets().await.unwrap()[1].spent;
    assert_eq!(spent, Money(20 * JOBS as i64), "each job was paid for once");
}
