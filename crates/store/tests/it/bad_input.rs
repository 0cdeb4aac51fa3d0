//! Whatever a client gives to a function that it may call: an error of ours that says what to do, and nothing is changed.
//! `cases` has every function; this has what is done with them.

mod cases;
mod scaling;
mod submitting;
mod working;

use domain::Mode;
use store::StoreError;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::{Roles, claimed, hired, roles};
use cases::{Call, FAILED, calls};

/// What the calls are about: a job that a worker holds, with one call reserved, and a failed one.
async fn scene() -> (Roles, Client) {
    let roles = roles().await;
    let by = hired(&roles.worker).await;
    let held = claimed(&roles.api, &roles.worker, by).await;
    let admin = roles.database.client("postgres").await;
    let failed = format!(
        "insert into codeteam.jobs (id, mode, task, repo, prompt, state, outcome, exit_reason, finished_at)
         values ({FAILED}, 'mechanic', 'review', 'r', 'p', 'failed', 'none', 'model_error', now())"
    );
    admin.batch_execute(&failed).await.unwrap();
    let reserve = "select codeteam.reserve($1, 1, $2, 1, 'm', 1, 1)";
    roles
        .database
        .client("codeteam_worker")
        .await
        .execute(reserve, &[&held.claim.job.0, &by.0])
        .await
        .unwrap();
    let names = [("held", held.claim.job.0), ("worker", by.0)];
    for (name, id) in names {
        let sql = format!("alter database {} set test.{name} = '{id}'", roles.database.name());
        admin.batch_execute(&sql).await.unwrap();
    }
    (roles, admin)
}

async fn state_of_everything(admin: &Client) -> String {
    let tables = [
        "jobs",
        "job_dependencies",
        "events",
        "ledger",
        "workers",
        "sleepers",
        "pauses",
        "budgets",
        "budget_stops",
        "scale_decisions",
        "scale_limits",
        "leader",
        "fleet_events",
        "measurements",
        "metric_batches",
        "swept_days",
    ];
    let mut digests = Vec::new();
    for table in tables {
        let sql = format!(
            "select md5(coalesce(string_agg(t::text, ' ' order by t::text), '')) from codeteam.{table} t"
        );
        digests.push(admin.query_one(&sql, &[]).await.unwrap().get::<_, String>(0));
    }
    digests.join(" ")
}

/// The call with one argument exchanged; none: as it is.
fn sql(call: &Call, exchanged: Option<(&str, &str)>) -> String {
    let arguments: Vec<String> = call
        .arguments
        .iter()
        .map(|(name, good)| match exchanged {
            Some((other, bad)) if other == *name => format!("{name} => {bad}"),
            _ => format!("{name} => {good}"),
        })
        .collect();
    format!("select * from codeteam.{}({})", call.function, arguments.join(", "))
}

/// The bad variants: each argument null that must not be, and those that the call lists.
fn variants(call: &Call) -> Vec<String> {
    let nulls = call.arguments.iter().map(|(name, _)| *name).filter(|name| !call.nullable.contains(name));
    let nulls = nulls.map(|name| sql(call, Some((name, "null"))));
    nulls.chain(call.bad.iter().map(|(name, bad)| sql(call, Some((name, bad))))).collect()
}

#[tokio::test]
async fn every_good_call_is_taken() {
    let (roles, _admin) = scene().await;
    for call in calls() {
        let client = roles.database.client(call.role).await;
        let sql = format!("begin; {}; rollback", sql(&call, None));
        client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

#[tokio::test]
async fn every_bad_call_is_refused_in_words_of_ours_and_changes_nothing() {
    let (roles, admin) = scene().await;
    let before = state_of_everything(&admin).await;
    let mut wrong = Vec::new();
    for call in calls() {
        let client = roles.database.client(call.role).await;
        for sql in variants(&call) {
            match client.simple_query(&sql).await {
                Ok(answer) => wrong.push(format!("taken: {sql}: {}", rows(&answer))),
                Err(error) => {
                    let error = error.as_db_error().unwrap();
                    if !error.code().code().starts_with("QJ") || error.message().len() < 20 {
                        wrong.push(format!("{} {}: {sql}", error.code().code(), error.message()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(state_of_everything(&admin).await, before);
}

fn rows(answer: &[SimpleQueryMessage]) -> usize {
    answer.iter().filter(|message| matches!(message, SimpleQueryMessage::Row(_))).count()
}

/// A function that is new is missing in the table, and one of its parameters that is new, too.
#[tokio::test]
async fn every_function_that_a_service_may_call_is_in_the_table() {
    let (_roles, admin) = scene().await;
    let rows = admin
        .query(
            "select p.proname::text, coalesce(p.proargnames[1:p.pronargs], '{}') from pg_proc p
             where p.pronamespace = 'codeteam'::regnamespace and p.pronargs > 0 and exists (
               select from aclexplode(p.proacl) a join pg_roles r on r.oid = a.grantee where r.rolname like 'codeteam\\_%')",
            &[],
        )
        .await
        .unwrap();
    let calls = calls();
    for row in rows {
        let (name, parameters): (String, Vec<String>) = (row.get(0), row.get(1));
        let call =
            calls.iter().find(|call| call.function == name).unwrap_or_else(|| panic!("{name} is missing"));
        let known: Vec<&str> = call.arguments.iter().map(|(name, _)| *name).collect();
        assert_eq!(known, parameters, "{name}");
    }
}

/// What does not even reach a function is PostgreSQL's own to refuse, and becomes a typed error all the same.
#[tokio::test]
async fn what_reaches_no_function_is_refused_by_postgresql() {
    let (roles, _admin) = scene().await;
    let client = roles.database.client("codeteam_api").await;
    for (sql, code) in [
        ("select codeteam.submit_job('review', 'r', 'p', colour => 'red')", "42883"),
        (
            "select codeteam.submit_jobs('[{\"task\": \"review\", \"repo\": \"r\", \"prompt\": \"a\\u0000b\"}]')",
            "22P05",
        ),
        ("select codeteam.cancel_job('not an id')", "22P02"),
    ] {
        assert_eq!(client.simple_query(sql).await.unwrap_err().code().unwrap().code(), code, "{sql}");
    }
    let nul = domain::NewJob { prompt: "a\0b".into(), ..testkit::job() };
    assert!(matches!(roles.api.submit(&nul).await, Err(StoreError::Invalid(_))));
    let unnamed = roles.api.pause(Mode::Genius, &"x".repeat(1_001)).await;
    assert!(matches!(unnamed, Err(StoreError::Invalid(_))), "{unnamed:?}");
}

#[tokio::test]
async fn a_role_of_another_isolation_is_told_which_one_it_needs() {
    let (roles, admin) = scene().await;
    let sql = format!(
        "alter database {} set default_transaction_isolation = 'serializable'",
        roles.database.name()
    );
    admin.batch_execute(&sql).await.unwrap();
    let worker = roles.database.store("codeteam_worker").await;
    let by = hired(&worker).await;
    let error = worker.claim(by, Mode::Mechanic).await.unwrap_err();
    assert!(matches!(error, StoreError::Isolation(_)), "{error:?}");
    assert!(error.to_string().contains("read committed"), "{error}");
}
