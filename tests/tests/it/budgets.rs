//! A budget that is spent in the middle of a job, one that a job can never fit into, and the commands for them.

use domain::{Event, JobState, Money, Outcome};
use nix::sys::signal::Signal;
use store::Period;
use system_tests::{CommandLine, ModelServer, Repo, Say, Team};
use testkit::TestDatabase;

use crate::lives::{assert_whole, paced, replied};

fn gave_back(event: &Event) -> bool {
    matches!(event, Event::Released { reason } if reason.contains("budget"))
}

#[tokio::test]
async fn a_job_whose_budget_is_spent_waits_asleep_and_goes_on_where_it_stood_when_there_is_more() {
    const BEFORE: i64 = 10_000_000;
    let model = paced().await;
    let database = TestDatabase::new().await;
    let admin = database.client("postgres").await;
    let team = Team::on_database(database, &model.url()).await;
    let repo = Repo::demo();
    // What other jobs of the repository have spent: next to it a call of this one is small.
    let spent = "insert into codeteam.spending (repo, shard, day, day_micros, ever_micros) values ($1, 0, current_date, $2, $2)";
    admin.execute(spent, &[&repo.url(), &BEFORE]).await.unwrap();
    let _worker = team.worker();
    let job = team.submit_demo(&repo).await;
    team.events_until(job, replied(1)).await;
    team.api.set_budget(Some(&repo.url()), Period::Ever, Money(BEFORE)).await.unwrap();
    team.events_until(job, gave_back).await;
    let next = team.submit_demo(&repo).await;

    for waiting in [job, next] {
        let row = team.api.job(waiting).await.unwrap();
        assert!(row.state == JobState::Queued && row.budget_stop.is_some(), "{row:?}\n{}", team.log());
    }
    let statements = "select xact_commit from pg_stat_database where datname = current_database()";
    let count = async || admin.query_one(statements, &[]).await.unwrap().get::<_, i64>(0);
    let before = count().await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await; // the span over which it is counted
    let made = count().await - before;
    assert!(made < 30, "{made} statements in three seconds, in which there was nothing to do");

    team.api.set_budget(Some(&repo.url()), Period::Ever, Money(BEFORE * 2)).await.unwrap();
    let mut steps = 0;
    for job in [job, next] {
        let (row, events) = team.finished(job).await;
        assert_eq!(
            (row.state, row.outcome),
            (JobState::Succeeded, Some(Outcome::Verified)),
            "{}",
            team.log()
        );
        assert_whole(&events, &team.api.calls(job).await.unwrap());
        assert!(!events.iter().any(|record| matches!(record.event, Event::AttemptFailed { .. })));
        steps += row.steps as u64;
    }
    assert_eq!(team.api.job(job).await.unwrap().attempt.0, 2);
    assert_eq!(steps, model.stop().await.requests, "no call was thrown away");
}

#[tokio::test]
async fn budgets_are_set_listed_and_cleared_and_a_job_that_can_never_fit_says_so() {
    let model = ModelServer::start(|_, _| Say::Status(500)).await;
    let line = CommandLine::with_model(&model.url);
    let repo = Repo::demo();
    let mut up = line.start(&["up"]);
    up.until("codeteam submit").await;
    let none = line.run(&["budget"]).await;
    assert!(none.code == Some(0) && none.err.contains("there is no budget"), "{none:?}");
    for wrong in [
        &["budget", "set", "--all"][..],
        &["budget", "set", "--per-day", "5"],
        &["budget", "set", "--all", "--repo", ".", "--total", "5"],
        &["budget", "set", "--all", "--per-day", "0"],
        &["budget", "set", "--all", "--per-day", "five"],
        &["budget", "clear", "--all"],
    ] {
        let said = line.run(wrong).await;
        assert_eq!(said.code, Some(2), "{wrong:?}: {said:?}");
    }
    line.run(&["budget", "set", "--all", "--per-day", "20"]).await;
    let set = line.run(&["budget", "set", "--repo", &repo.url(), "--total", "0.000100"]).await;
    assert_eq!((set.code, set.out.lines().count()), (Some(0), 3), "{set:?}");

    let ran = line.run(&["run", "--repo", &repo.url(), "--task", "bug_fix", "a cent too dear"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains("the whole total budget of this repository is $0.000100"), "{ran:?}");
    assert!(model.requests().is_empty(), "no call was made");

    let cleared = line.run(&["budget", "clear", "--repo", &repo.url(), "--json"]).await;
    let left: serde_json::Value = serde_json::from_str(&cleared.out).unwrap();
    assert_eq!(left["budgets"].as_array().unwrap().len(), 1, "{cleared:?}");
    assert_eq!(
        (&left["budgets"][0]["repo"], &left["budgets"][0]["limit"]),
        (&serde_json::Value::Null, &20_000_000.into())
    );
    up.signal(Signal::SIGTERM);
    assert_eq!(up.wait().await, Some(0), "{}", up.said());
    line.all_gone().await;
}
