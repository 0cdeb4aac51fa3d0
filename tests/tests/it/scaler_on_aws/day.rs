//! A day of a team, in half a minute: bursts of jobs for both fleets, which grow, shrink and sleep between them.

use std::collections::BTreeMap;

use domain::{Event, JobState, Mode};
use nix::sys::signal::Signal;
use serde_json::json;
use system_tests::aws::{Options, Task};
use system_tests::{ModelServer, Repo, Say, tool};
use testkit::TestDatabase;

use super::cloud::{Cloud, GENIUS, MECHANIC, took};

const MOST: [(&str, usize); 2] = [(MECHANIC, 3), (GENIUS, 2)];

/// The numbers of this day: a linear congruential generator, the same each time.
struct Dice(u64);

impl Dice {
    /// From 0 up to, but not including, `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// The most tasks of a service that were up at once; one that is told to stop is none any more.
fn most_at_once(tasks: &[Task], service: &str) -> i32 {
    let mut changes: Vec<(u64, i32)> = Vec::new();
    for task in tasks.iter().filter(|task| task.service == service) {
        if let Some(started) = task.started_at_ns {
            changes.push((started, 1));
            changes.extend(task.signalled_at_ns.or(task.stopped_at_ns).map(|ended| (ended, -1)));
        }
    }
    changes.sort_unstable();
    let mut up = 0;
    changes
        .iter()
        .map(|(_, change)| {
            up += change;
            up
        })
        .max()
        .unwrap_or(0)
}

fn is_harm(event: &Event) -> bool {
    matches!(
        event,
        Event::LeaseExpired { .. }
            | Event::Released { .. }
            | Event::AttemptFailed { .. }
            | Event::Stuck { .. }
    )
}

#[tokio::test]
async fn a_day_of_bursts_loses_no_job_and_interrupts_none() {
    let model = ModelServer::start(|turn, _| {
        Say::Content(match turn {
            0 => vec![tool("read", json!({"path": "a.txt"}))],
            _ => vec![tool("finish", json!({"report": "# Findings\n\nIt says one."}))],
        })
    })
    .await;
    let options =
        Options { start_spread: std::time::Duration::from_millis(300), seed: 7, ..Options::default() };
    let cloud = Cloud::on(TestDatabase::new().await, &model.url, Some(options)).await;
    let limits = [("MECHANIC_MAX", "3"), ("GENIUS_MAX", "2"), ("COOL_DOWN_MS", "300")];
    let mut scaler = cloud.scaler("scaler", &limits);
    let repo = Repo::with(&[("a.txt", "one\n")]);
    let mut dice = Dice(20_261_122);
    let mut jobs = Vec::new();
    for burst in 0..12 {
        let some: Vec<domain::NewJob> = (0..=dice.roll(6))
            .map(|_| domain::NewJob {
                mode: if dice.roll(4) == 0 { Mode::Genius } else { Mode::Mechanic },
                task: domain::Task::Analysis,
                repo: repo.url(),
                ..testkit::job()
            })
            .collect();
        jobs.extend(cloud.team.api.submit_all(&some).await.unwrap());
        // The next burst comes in the middle of this one, at its very end, or when all have gone home.
        let sleeps = burst % 3 == 2;
        let so_many = if sleeps { 0 } else { dice.roll(3).min(some.len() - 1) };
        for &job in &jobs[..jobs.len() - so_many] {
            cloud.team.finished(job).await;
        }
        if sleeps {
            cloud.aws.fleet_until(|fleet| fleet.desired.values().all(|&desired| desired == 0)).await;
        }
    }
    for &job in &jobs {
        let (row, events) = cloud.team.finished(job).await;
        assert_eq!((row.state, row.attempt.0), (JobState::Succeeded, 1), "{row:?}\n{}", cloud.team.log());
        assert!(!events.iter().any(|record| is_harm(&record.event)), "{events:#?}");
    }
    let fleet = cloud.aws.fleet_until(|fleet| fleet.tasks.iter().all(|task| task.state == "stopped")).await;
    scaler.signal(Signal::SIGTERM);
    assert!(scaler.wait().await.success());

    let calls = cloud.aws.calls(0).await;
    let mut wakes = BTreeMap::new();
    for (service, most) in MOST {
        let targets = took(&calls, service);
        assert!(targets.iter().all(|&target| target <= most as i64), "{service}: {targets:?}");
        assert_eq!(targets.last(), Some(&0));
        assert!(most_at_once(&fleet.tasks, service) <= most as i32, "{service}: {:#?}", fleet.tasks);
        wakes.insert(service, targets.windows(2).filter(|pair| pair[0] == 0 && pair[1] > 0).count());
    }
    assert!(wakes[MECHANIC] >= 3, "the fleet slept between the bursts: {wakes:?}");
    for task in &fleet.tasks {
        assert_ne!(task.protected_when_signalled, Some(true), "a busy task was told to stop: {task:?}");
        // One that was never started, or was told to go before it listened for it, has no good exit code.
        assert!(
            !task.killed && matches!(task.exit_code, None | Some(0 | -15)),
            "{task:?}\n{}",
            cloud.team.log()
        );
    }
    cloud.aws.stop().await;
}
