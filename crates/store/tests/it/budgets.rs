//! Budgets are never passed, whoever reserves at the same moment, and their sums are those of the ledger.

use std::sync::Arc;

use domain::{Mode, Money, NewJob, Usage};
use store::{Basis, Budget, Claimed, Database, Period, Settlement, StoreError};
use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::{Roles, hired, journal_of, roles, soon};

pub const REPO: &str = "/srv/app";

pub fn of(repo: &str) -> NewJob {
    NewJob { repo: repo.into(), ..testkit::job() }
}

/// Submits a job of `repo` and claims it.
pub async fn claimed(roles: &Roles, repo: &str) -> Claimed {
    let job = roles.api.submit(&of(repo)).await.unwrap();
    let by = hired(&roles.worker).await;
    let held = roles.worker.claim(by, Mode::Mechanic).await.unwrap().expect("the job that was submitted");
    assert_eq!(held.claim.job, job);
    held
}

pub async fn reserve(
    database: &Arc<Database>,
    held: &Claimed,
    call: u32,
    cost: i64,
) -> Result<(), StoreError> {
    journal_of(database, held).reserve(call, "m", (Money(cost), 1), soon()).await
}

pub async fn settle(database: &Arc<Database>, held: &Claimed, call: u32, basis: Basis, cost: i64) {
    let (cost, usage) = (Money(cost), Usage::default());
    let settlement = Settlement { basis, model: "m", cost, usage, request_id: None, raw_usage: None };
    journal_of(database, held).settle(call, &settlement, &[], soon()).await.unwrap();
}

pub fn is_spent(result: &Result<(), StoreError>) -> bool {
    matches!(result, Err(StoreError::BudgetSpent(_)))
}

/// The one budget that there is.
pub async fn budget(roles: &Roles) -> Budget {
    let [budget] = roles.api.budgets().await.unwrap().try_into().unwrap();
    budget
}

/// As one day later: what was spent and what is stopped is of yesterday.
pub async fn a_day_passes(admin: &Client) {
    let sql = "update codeteam.spending set day = day - 1;
               update codeteam.budget_stops set opens_at = opens_at - interval '1 day'";
    admin.batch_execute(sql).await.unwrap();
}

#[tokio::test]
async fn eight_who_reserve_at_the_same_moment_never_pass_a_budget_together() {
    for repo in [None, Some(REPO)] {
        let roles = roles().await;
        roles.api.set_budget(repo, Period::Day, Money(1_000)).await.unwrap();
        roles.api.set_budget(repo, Period::Ever, Money(2_000)).await.unwrap();
        let mut at_once = JoinSet::new();
        for _ in 0..8 {
            let (held, own) = (claimed(&roles, REPO).await, roles.database.store("codeteam_worker").await);
            at_once.spawn(async move {
                let mut reserved = 0;
                for call in 1..=5 {
                    match reserve(&own, &held, call, 70).await {
                        Ok(()) => reserved += 1,
                        refused => assert!(is_spent(&refused), "{refused:?}"),
                    }
                }
                reserved
            });
        }
        assert_eq!(at_once.join_all().await.iter().sum::<i32>(), 14, "14 times 70 fit into 1000");
    }
}

#[tokio::test]
async fn a_budget_that_is_set_while_others_reserve_holds_for_all_who_come_after_it() {
    let roles = roles().await;
    let mut at_once = JoinSet::new();
    for _ in 0..8 {
        let (held, own) = (claimed(&roles, REPO).await, roles.database.store("codeteam_worker").await);
        at_once.spawn(async move {
            let mut call = 1;
            while reserve(&own, &held, call, 10).await.is_ok() {
                call += 1;
            }
        });
    }
    while roles.api.costs().await.unwrap().iter().all(|sum| sum.calls < 20) {}
    roles.api.set_budget(Some(REPO), Period::Day, Money(2_000)).await.unwrap();
    let then = budget(&roles).await.spent;
    at_once.join_all().await;
    assert_eq!(budget(&roles).await.spent, then.max(Money(2_000)));
}

#[tokio::test]
async fn the_running_sums_are_those_of_the_ledger() {
    let roles = roles().await;
    let mut at_once = JoinSet::new();
    for n in 0..8 {
        let repo = ["a", "b", "c"][n % 3];
        let (held, own) = (claimed(&roles, repo).await, roles.database.store("codeteam_worker").await);
        at_once.spawn(async move {
            for call in 1..=20 {
                reserve(&own, &held, call, 100 + i64::from(call)).await.unwrap();
                match (call + n as u32) % 5 {
                    0 => {}
                    1 => settle(&own, &held, call, Basis::Unbilled, 0).await,
                    2 => settle(&own, &held, call, Basis::WorstCase, 0).await,
                    _ => settle(&own, &held, call, Basis::Reported, i64::from(call) * 10).await,
                }
            }
        });
    }
    at_once.join_all().await;
    let admin = roles.database.client("postgres").await;
    let sums = async |of: &str| -> Vec<(String, i64, i64)> {
        let sql = format!(
            "select repo, sum(day_micros)::bigint, sum(ever_micros)::bigint from codeteam.{of} group by repo order by repo"
        );
        let rows = admin.query(&sql, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    };
    let ledger = sums("spending_by_ledger").await;
    assert_eq!(ledger.len(), 3);
    assert_eq!(sums("spending").await, ledger);
    roles.api.set_budget(None, Period::Ever, Money(1_000_000)).await.unwrap();
    assert_eq!(budget(&roles).await.spent.0, ledger.iter().map(|(_, _, ever)| ever).sum::<i64>());
}

#[tokio::test]
async fn a_day_is_one_of_utc_whatever_the_session_says() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    admin.batch_execute("set timezone = 'Pacific/Kiritimati'").await.unwrap();
    let sql = "select codeteam.budget_day($1::text::timestamptz)::text,
                      (codeteam.next_budget_day($1::text::timestamptz) at time zone 'UTC')::text";
    for (at, day, next) in [
        ("2028-02-28T23:59:59.999999Z", "2028-02-28", "2028-02-29 00:00:00"),
        ("2028-02-29T00:00:00Z", "2028-02-29", "2028-03-01 00:00:00"),
        ("2026-12-31T20:00:00-05:00", "2027-01-01", "2027-01-02 00:00:00"),
    ] {
        let row = admin.query_one(sql, &[&at]).await.unwrap();
        assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1)), (day, next), "{at}");
    }
}

/// What is settled after midnight is a matter of the day on which it was reserved.
#[tokio::test]
async fn a_call_counts_on_the_day_of_its_reservation() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    roles.api.set_budget(Some(REPO), Period::Day, Money(1_000)).await.unwrap();
    let held = claimed(&roles, REPO).await;
    reserve(&roles.worker, &held, 1, 900).await.unwrap();
    a_day_passes(&admin).await;
    admin.batch_execute("update codeteam.ledger set at = at - interval '1 day'").await.unwrap();
    reserve(&roles.worker, &held, 2, 300).await.unwrap();
    settle(&roles.worker, &held, 1, Basis::Reported, 400).await;
    assert_eq!(budget(&roles).await.spent, Money(300));
    roles.api.clear_budget(Some(REPO), None).await.unwrap();
    roles.api.set_budget(Some(REPO), Period::Ever, Money(1_000)).await.unwrap();
    assert_eq!(budget(&roles).await.spent, Money(700));
}

#[tokio::test]
async fn what_can_never_fit_is_refused_for_good_and_the_refusals_say_what_to_do() {
    let roles = roles().await;
    roles.api.set_budget(Some(REPO), Period::Day, Money(1_000)).await.unwrap();
    let held = claimed(&roles, REPO).await;
    let Err(StoreError::CostCap(never)) = reserve(&roles.worker, &held, 1, 1_001).await else { panic!() };
    assert!(never.contains("whole daily budget of this repository is $0.001000"), "{never}");
    reserve(&roles.worker, &held, 1, 700).await.unwrap();
    let Err(StoreError::BudgetSpent(now)) = reserve(&roles.worker, &held, 2, 400).await else { panic!() };
    for part in
        ["daily budget of this repository", "00:00 UTC", "codeteam budget set", "$0.000300 of $0.001000"]
    {
        assert!(now.contains(part), "{part:?} is missing: {now}");
    }
}

#[tokio::test]
async fn budgets_that_cannot_be_are_refused_with_a_sentence() {
    let roles = roles().await;
    let client = roles.database.client("codeteam_api").await;
    for (call, says) in [
        ("set_budget(null, 'day', 0)", "1 to 1000000000000000"),
        ("set_budget(null, 'day', null)", "1 to 1000000000000000"),
        ("set_budget('r', 'week', 5)", "use day or ever"),
        ("set_budget('r', null, 5)", "use day or ever"),
        ("set_budget(' ', 'day', 5)", "no repository is named"),
        ("set_budget(repeat('x', 2001), 'day', 5)", "no repository is named"),
        ("clear_budget('', 'day')", "no repository is named"),
        ("clear_budget('r', 'week')", "use day or ever"),
    ] {
        let error = client.execute(&format!("select codeteam.{call}"), &[]).await.unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!(error.code().code(), "QJ007", "{call}: {error}");
        assert!(error.message().contains(says), "{call}: {error}");
    }
    let held = claimed(&roles, REPO).await;
    let nothing = roles.worker.wait_for_budget(&held.claim, Money(-1)).await;
    assert!(matches!(&nothing, Err(StoreError::Invalid(_))), "{nothing:?}");
    assert!(roles.api.budgets().await.unwrap().is_empty());
    assert!(!roles.api.clear_budget(None, None).await.unwrap(), "there was none");
}
