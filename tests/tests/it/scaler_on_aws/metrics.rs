//! What is published is what happened, each thing once, whatever becomes of the scaler and of CloudWatch meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{Mode, NewJob};
use nix::sys::signal::Signal;
use serde_json::json;
use system_tests::aws::{Call, Datum, Fault};
use system_tests::{ModelServer, Program, Repo, Say, tool};

use super::cloud::{Cloud, GENIUS, MECHANIC, PUT, took};

const SETTINGS: [(&str, &str); 2] = [("METRICS_EACH_MS", "500"), ("MECHANIC_MAX", "2")];

/// By mode: successes, failures, steps and tokens, as the tables have them that a bill is made from.
const BOOKS: &str = "
    select m.mode || '-worker',
      (select count(*) from codeteam.jobs j where j.mode = m.mode and j.state = 'succeeded'),
      (select count(*) from codeteam.jobs j where j.mode = m.mode and j.state in ('failed', 'dead')),
      (select count(*) from codeteam.ledger l where l.mode = m.mode and l.kind = 'settlement' and l.basis <> 'unbilled'),
      (select coalesce(sum(uncached + cache_write_5m + cache_write_1h + output), 0)::bigint
       from codeteam.ledger l where l.mode = m.mode and l.kind = 'settlement' and l.basis = 'reported')
    from (values ('mechanic'), ('genius')) m (mode)";

/// A metric's sum and its number of values for a service.
fn published(data: &[Datum], name: &str, service: &str) -> (f64, f64) {
    let of = |datum: &&Datum| datum.name == name && datum.dimensions["Service"] == service;
    data.iter().filter(of).fold((0.0, 0.0), |(sum, count), datum| {
        let (values, counts) = (datum.values.as_ref().unwrap(), datum.counts.as_ref().unwrap());
        (sum + values.iter().zip(counts).map(|(v, n)| v * n).sum::<f64>(), count + counts.iter().sum::<f64>())
    })
}

fn puts(calls: &[Call]) -> usize {
    calls.iter().filter(|call| call.operation == PUT && call.status == Some(200)).count()
}

fn met(calls: &[Call], fault: &str) -> bool {
    calls.iter().any(|call| call.operation == PUT && call.fault.as_deref() == Some(fault))
}

impl Cloud {
    /// The scaler loses its power, and another one starts, which need not wait for what the dead one may still do.
    async fn replaced(&self, scaler: Program) -> Program {
        scaler.kill().await;
        self.owner.batch_execute("update codeteam.leader set acts_until = '-infinity'").await.unwrap();
        self.scaler("scaler", &SETTINGS)
    }
}

#[tokio::test]
async fn what_is_published_adds_up_to_the_books_whoever_dies_and_whatever_cloudwatch_does() {
    let model = ModelServer::start(|turn, request| match turn {
        0 => Say::Content(vec![tool("read", json!({"path": "a.txt"}))]),
        _ if request.to_string().contains("beyond all help") => Say::Status(401),
        _ => Say::Content(vec![tool("finish", json!({"report": "# Findings\n\nIt says one."}))]),
    })
    .await;
    let cloud = Cloud::working(&model.url).await;
    let repo = Repo::with(&[("a.txt", "one\n")]);
    let job = |mode, prompt: &str| NewJob {
        mode,
        task: domain::Task::Analysis,
        repo: repo.url(),
        prompt: prompt.to_owned(),
        ..testkit::job()
    };
    let mut some = vec![job(Mode::Mechanic, "what does it say?"); 20];
    some.extend(vec![job(Mode::Mechanic, "it is beyond all help"); 5]);
    some.extend(vec![job(Mode::Genius, "what does it say?"); 3]);
    let mut jobs = cloud.team.api.submit_all(&some).await.unwrap();
    let mut scaler = cloud.scaler("scaler", &SETTINGS);

    for so_many in [1, 3, 2] {
        let before = cloud.calls_so_far().await;
        cloud.aws.calls_until(before, |calls| puts(calls) >= so_many).await;
        scaler = cloud.replaced(scaler).await;
    }
    // It dies while its call is under way, which takes effect all the same.
    let before = cloud.calls_so_far().await;
    cloud.aws.fault(PUT, Fault::Slow(Duration::from_millis(700)), Some(1)).await;
    cloud.aws.calls_until(before, |calls| met(calls, "slow")).await;
    scaler = cloud.replaced(scaler).await;
    cloud.aws.calls_until(before, |calls| puts(calls) >= 4).await;
    // It dies while its call is under way, which takes none; nobody waits for CloudWatch to wake.
    cloud.aws.fault(PUT, Fault::Hang, None).await;
    let before = cloud.calls_so_far().await;
    cloud.aws.calls_until(before, |calls| met(calls, "hang")).await;
    for &job in &jobs {
        cloud.team.finished(job).await;
    }
    cloud.aws.fleet_until(|fleet| fleet.desired[GENIUS] == 0).await;
    let before = cloud.calls_so_far().await;
    jobs.push(cloud.team.api.submit(&job(Mode::Genius, "and what now?")).await.unwrap());
    let calls = cloud.called(before, GENIUS, 1).await;
    assert_eq!(took(&calls, GENIUS), [1]);
    let all = cloud.aws.calls(0).await;
    assert!(all.iter().any(|call| call.operation == PUT && call.status.is_none()), "CloudWatch hangs");
    scaler = cloud.replaced(scaler).await;
    cloud.aws.clear_faults().await;
    // It lives, and its calls fail: surely, or perhaps.
    for fault in [Fault::Throttle, Fault::Error500] {
        cloud.aws.fault(PUT, fault, Some(2)).await;
        cloud.team.api.submit(&job(Mode::Mechanic, "once more")).await.map(|job| jobs.push(job)).unwrap();
    }
    for &job in &jobs {
        cloud.team.finished(job).await;
    }
    cloud.aws.fleet_until(|fleet| fleet.desired.values().all(|&desired| desired == 0)).await;
    let settled = "not exists (select from codeteam.measurements) and not exists (select from codeteam.metric_batches)
        and not exists (select from codeteam.scale_decisions where queued_at is not null and claimed_at is null)";
    cloud.until(settled).await;
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success(), "{}", cloud.log("scaler"));

    let data = cloud.aws.metrics().await;
    for row in cloud.owner.query(BOOKS, &[]).await.unwrap() {
        let service: String = row.get(0);
        let sum = |name| published(&data, name, &service).0.round() as i64;
        let all = ["JobSuccesses", "JobFailures", "StepsUsed", "TokensUsed"].map(sum);
        let books: [i64; 4] = [row.get(1), row.get(2), row.get(3), row.get(4)];
        assert_eq!(all, books, "{service}\n{}", cloud.log("scaler"));
        assert_eq!(published(&data, "JobDuration", &service).1 as i64, books[0] + books[1]);
        assert!(books[0] >= 3 && books[3] > 0, "{service}: {books:?}");
    }
    assert_eq!(jobs.len(), 31);
    assert_eq!(published(&data, "JobFailures", MECHANIC).0, 5.0);
    let wakes = "select count(*) from codeteam.scale_decisions where claimed_at is not null";
    let wakes: i64 = cloud.owner.query_one(wakes, &[]).await.unwrap().get(0);
    let told = [MECHANIC, GENIUS].map(|service| published(&data, "WakeLatency", service).1 as i64);
    assert_eq!(told.iter().sum::<i64>(), wakes, "each wake once");
    assert_shape(&data, &cloud.aws.calls(0).await);
    cloud.aws.stop().await;
}

/// One call brings all of a period's data, each in its place.
fn assert_shape(data: &[Datum], calls: &[Call]) {
    let mut services: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for datum in data {
        assert_eq!((datum.namespace.as_str(), datum.dimensions.len()), ("AICodeTeam", 1), "{datum:?}");
        services.entry(&datum.name).or_default().insert(&datum.dimensions["Service"]);
    }
    for name in [
        "QueueDepth",
        "OldestJobAge",
        "InFlight",
        "BusyWorkers",
        "StuckJobs",
        "WorkerHeartbeatAge",
        "JobsStuck",
        "WorkersLost",
    ] {
        assert_eq!(services[name], BTreeSet::from([GENIUS, MECHANIC]), "{name}");
    }
    assert_eq!(services["ScalerHeartbeat"], BTreeSet::from(["scaler"]));
    assert_eq!(services["DatabaseConnectionsUsed"], BTreeSet::from(["database"]));
    let heartbeats = data.iter().filter(|datum| datum.name == "ScalerHeartbeat").count();
    assert_eq!(heartbeats, puts(calls), "each call has the heartbeat, so there is one call a period");
    assert!(published(data, "QueueDepth", MECHANIC).0 > 0.0);
}
