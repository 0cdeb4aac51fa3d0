//! `codeteam scale`, and what `codeteam doctor` says of scaling.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;
use rehearsal::Rehearsal;
use serde_json::Value;
use store::{Config, Database};
use system_tests::{CommandLine, PATIENCE, Repo, Said, program};
use testkit::TestDatabase;
use tokio::time::timeout;
use uuid::Uuid;

/// The answer of a command that succeeds.
async fn json(line: &CommandLine, args: &[&str]) -> Value {
    let said = line.run(&[args, &["--json"]].concat()).await;
    assert_eq!(said.code, Some(0), "{args:?}: {said:?}");
    serde_json::from_str(&said.out).unwrap()
}

fn assert_refused(said: &Said, words: &[&str]) {
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
    assert!(words.iter().all(|word| said.err.contains(word)), "{said:?}");
}

/// The entries of the history, the oldest first.
async fn history(line: &CommandLine) -> Vec<Value> {
    let mut answer = json(line, &["scale", "history"]).await;
    let entries = answer["history"].as_array_mut().unwrap();
    entries.reverse();
    std::mem::take(entries)
}

#[tokio::test]
async fn a_paused_fleet_stays_asleep_beside_a_job_and_wakes_when_scaling_is_resumed() {
    let model = Rehearsal::start(rehearsal::demo::script().unwrap()).await.unwrap();
    let line = CommandLine::with_model(&model.url());
    let repo = Repo::demo();
    let mut up = line.start(&["up", "--cool-down-ms", "500"]);
    up.until("codeteam submit").await;

    let paused = line.run(&["scale", "pause", "--reason", "a move"]).await;
    assert_eq!((paused.code, paused.out.matches("paused since").count()), (Some(0), 2), "{paused:?}");
    let job = line.run(&["submit", "--repo", &repo.url(), "--task", "bug_fix", "a cent too dear"]).await;
    let id = job.out.trim();
    let status = json(&line, &["scale"]).await;
    let mechanic = &status["fleets"][0];
    assert_eq!((&mechanic["queue"]["ready"], &mechanic["workers"]["there"]), (&1.into(), &0.into()));
    assert_eq!(mechanic["limits"]["paused_reason"], "a move");

    let resumed = line.run(&["scale", "resume", "mechanic"]).await;
    assert!(resumed.out.starts_with("mechanic: workers follow the work"), "{resumed:?}");
    let logs = line.run(&["logs", id, "--follow"]).await;
    assert_eq!(logs.code, Some(0), "{logs:?}");
    let claimed = async {
        loop {
            let history = history(&line).await;
            if history.iter().any(|entry| entry["wake"]["total_ms"].is_u64()) {
                break history;
            }
        }
    };
    let history = timeout(PATIENCE, claimed).await.expect("the wake to be followed to its claim");
    let place = |what: &dyn Fn(&Value) -> bool| history.iter().position(what).unwrap();
    let woken = place(&|entry| entry["job"] == id);
    assert!(place(&|entry| entry["kind"] == "scaling_resumed") < woken, "{history:#?}");
    let wake = &history[woken]["wake"];
    let phases = ["decided_ms", "called_ms", "first_heartbeat_ms", "claimed_ms"];
    assert!(phases.iter().all(|phase| wake[phase].is_u64()), "{wake}");
    let seen = line.run(&["scale", "history"]).await;
    assert!(seen.out.contains("awake in") && seen.out.contains("scaling was paused: a move"), "{seen:?}");
    let status = line.run(&["scale", "status"]).await;
    assert!(status.out.contains("scaling  paused since"), "genius still is: {status:?}");

    let doctor = line.run(&["doctor"]).await;
    assert!(doctor.out.contains("✓ scaling     the team that is up"), "{doctor:?}");
    up.signal(Signal::SIGTERM);
    assert_eq!(up.wait().await, Some(0), "{}", up.said());
    line.all_gone().await;
}

#[tokio::test]
async fn limits_are_set_within_reason_and_go_back_to_the_scalers_own() {
    let database = TestDatabase::new().await;
    let mut line = CommandLine::new();
    line.secrets(&serde_json::json!({"DATABASE_URL": database.url("codeteam_api")}).to_string(), 0o600);
    let status = line.run(&["scale"]).await;
    assert_eq!(status.out.matches("no scaler has run on this database").count(), 2, "{status:?}");

    let set = ["scale", "set-limits", "mechanic", "--max", "3", "--cool-down", "2m"];
    let limits = &json(&line, &set).await["limits"][0];
    assert_eq!((&limits["max"], &limits["cool_down_ms"]), (&3.into(), &120_000.into()));
    assert_eq!(limits["limits_set"], serde_json::json!(["max", "cool-down"]));
    for (args, words) in [
        (&["mechanic", "--min", "5"][..], &["min cannot be 5", "not above the maximum"][..]),
        (&["mechanic", "--floor", "4"], &["floor cannot be 4", "not above the maximum"]),
        (&["mechanic"], &["no limit is named", "--max"]),
        (&["mechanic", "--cool-down", "2 hours"], &["no span of time", "for example"]),
        (&["wizard", "--max", "1"], &["wizard", "use one of mechanic, genius"]),
    ] {
        assert_refused(&line.run(&[&["scale", "set-limits"], args].concat()).await, words);
    }
    let refused = json(&line, &["scale", "status"]).await;
    assert_eq!(refused["fleets"][0]["limits"]["min"], Value::Null, "what was refused changed nothing");

    let reset = ["scale", "set-limits", "mechanic", "--reset"];
    assert_eq!(json(&line, &reset).await["limits"][0]["limits_set"], serde_json::json!([]));
    let again = line.run(&reset).await;
    assert!(again.code == Some(0) && again.err.contains("no limit was set"), "{again:?}");
    let kinds: Vec<Value> = history(&line).await.iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["limits_changed", "limits_changed"]);
    assert_refused(&line.run(&["scale", "history", "-n", "0"]).await, &["1..=10000"]);
}

/// What doctor says of scaling, and whether that is well.
async fn doctor(line: &CommandLine) -> (bool, String) {
    let said = line.run(&["doctor", "--json"]).await;
    let checks: Value = serde_json::from_str(&said.out).unwrap();
    let scaling = checks.as_array().unwrap().iter().find(|check| check["name"] == "scaling");
    let scaling = scaling.unwrap_or_else(|| panic!("scaling is not looked at: {said:?}"));
    (scaling["ok"] == true, scaling["says"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_doctor_tells_a_leader_that_is_well_from_one_in_trouble_missed_or_gone() {
    let database = TestDatabase::new().await;
    let admin = database.client("postgres").await;
    let config = Config::parse(&database.url("codeteam_scaler"), "test").unwrap();
    let scaler = Database::open_to_listen(config).await.unwrap();
    let mut line = CommandLine::new();
    line.secrets(&serde_json::json!({"DATABASE_URL": database.url("codeteam_api")}).to_string(), 0o600);
    let assert_says = async |well: bool, words: &str| {
        let (ok, says) = doctor(&line).await;
        assert!(ok == well && says.contains(words), "{words:?} is missing: {says}");
        let status = line.run(&["scale"]).await;
        assert!(status.out.starts_with(&says), "status says the same: {status:?}");
    };
    assert_says(true, "only those on AWS need a leader").await;

    let id = Uuid::new_v4();
    scaler.lead(id).await.unwrap();
    // A leader that sleeps is heard of less often than one that is awake, and a slow machine must not miss this one.
    let heard = "update codeteam.leader set heard_until = now() + interval '1 hour'";
    admin.execute(heard, &[]).await.unwrap();
    assert_says(true, "and is heard of").await;
    scaler.report_trouble(id, Some("AWS refuses ecs:UpdateService: allow it")).await.unwrap();
    assert_says(false, "AWS refuses ecs:UpdateService: allow it").await;
    scaler.report_trouble(id, None).await.unwrap();
    assert_says(true, "and is heard of").await;
    admin.execute("update codeteam.leader set heard_until = now()", &[]).await.unwrap();
    assert_says(false, "is not heard of").await;
    scaler.resign(id).await.unwrap();
    assert_says(false, "went in good order").await;
}

/// Each flag of the scaler's help with its variable and its default.
fn settings(help: &str) -> Vec<(String, Option<String>, Option<String>)> {
    let between = |text: &str, from: &str| {
        let (_, rest) = text.split_once(from)?;
        rest.split_once(']').map(|(value, _)| value.trim_end_matches('=').to_owned())
    };
    let options = help.split("\n      --").skip(1);
    let option = |text: &str| {
        let flag = text.split(|c: char| c.is_whitespace()).next().unwrap_or_default();
        (format!("--{flag}"), between(text, "[env: "), between(text, "[default: "))
    };
    options.map(option).collect()
}

#[tokio::test]
async fn the_page_about_scaling_names_every_setting_with_its_default() {
    let help = std::process::Command::new(program("scaler")).arg("--help").env_clear().output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let page = include_str!("../../../docs/scaling.md");
    let rows: Vec<BTreeSet<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| `--"))
        .map(|line| line.split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();
    let settings = settings(&help);
    assert!(settings.len() > 15, "{settings:?}");
    for (flag, variable, default) in &settings {
        let row = rows.iter().find(|row| row.contains(flag.as_str()));
        let row = row.unwrap_or_else(|| panic!("{flag} is missing from docs/scaling.md"));
        for value in [variable, default].into_iter().flatten() {
            // Some defaults are a sentence.
            let named = row.contains(value.as_str()) || value.contains(' ');
            assert!(named, "{flag}: {value} is missing from its row in docs/scaling.md: {row:?}");
        }
    }
    assert_eq!(rows.len(), settings.len(), "a setting that is gone is still in docs/scaling.md");
}
