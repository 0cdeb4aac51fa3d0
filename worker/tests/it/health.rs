//! `worker health`, as a container's health check runs it.

use std::path::Path;
use std::process::Command;

use domain::Outcome;
use nix::sys::signal::Signal;
use rehearsal::Rehearsal;
use system_tests::{PATIENCE, Program, Repo, Team, program};
use testkit::{Proxy, TestDatabase, Traffic};
use tokio::time::timeout;

/// Quick, and still more than a beat.
const BOUND_MS: &str = "6000";

/// What a health check says of the worker whose pulse is at `pulse`.
fn check(pulse: &Path, max_age_ms: &str) -> (Option<i32>, String) {
    let output = Command::new(program("worker"))
        .args(["health", "--max-age-ms", max_age_ms])
        .env("PULSE_FILE", pulse)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

async fn until(team: &Team, what: &str, mut so: impl FnMut() -> bool) {
    let waiting = async {
        while !so() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("it never came: {what}; the log: {}", team.log()));
}

/// The time of the last beat, on the system's monotonic clock.
fn beat(pulse: &Path) -> Option<u64> {
    std::fs::read_to_string(pulse).ok()?.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test]
async fn a_worker_that_hangs_is_unhealthy_and_healthy_when_it_goes_on() {
    let mut team = Team::new("http://127.0.0.1:9").await;
    let pulse = team.path("pulse");
    team.set("PULSE_FILE", pulse.display());
    let (code, said) = check(&pulse, BOUND_MS);
    assert_eq!(code, Some(1));
    assert!(said.contains("the worker has not started"), "{said}");

    let mut worker = team.worker();
    until(&team, "healthy at first", || check(&pulse, BOUND_MS).0 == Some(0)).await;
    worker.signal(Signal::SIGSTOP);
    until(&team, "unhealthy while it hangs", || check(&pulse, BOUND_MS).0 == Some(1)).await;
    let (_, said) = check(&pulse, BOUND_MS);
    assert!(
        said.contains(&format!("process {}", worker.pid())) && said.contains("no sign of life"),
        "{said}"
    );
    worker.signal(Signal::SIGCONT);
    until(&team, "healthy again", || check(&pulse, BOUND_MS).0 == Some(0)).await;

    worker.signal(Signal::SIGTERM);
    assert!(worker.wait().await.success());
    assert_eq!(check(&pulse, BOUND_MS).0, Some(1), "one that is gone is not healthy");
    assert!(!pulse.exists());
}

#[tokio::test]
async fn a_worker_whose_database_is_away_stays_healthy_and_works_when_it_is_back() {
    let model = Rehearsal::start(rehearsal::demo::script().unwrap()).await.unwrap();
    let database = TestDatabase::new().await;
    let proxy = Proxy::start(&database.url("codeteam_worker")).await;
    let through = proxy.url("codeteam_worker", database.name());
    let team = Team::on_database(database, &model.url()).await;
    let secrets = team.path("through.json");
    let content = serde_json::json!({"DATABASE_URL": through, "ANTHROPIC_API_KEY": "sk-test-key"});
    std::fs::write(&secrets, content.to_string()).unwrap();
    std::fs::set_permissions(&secrets, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let pulse = team.path("pulse");
    let env = [
        ("MODE", "mechanic".to_owned()),
        ("SECRETS", format!("file:{}", secrets.display())),
        ("ANTHROPIC_BASE_URL", model.url()),
        ("WORK_DIR", team.path("work").display().to_string()),
        ("PULSE_FILE", pulse.display().to_string()),
    ];
    let _worker = Program::start("worker", &[], &env, &team.path("log"));
    until(&team, "it sleeps", || team.log().contains("at the door")).await;

    proxy.set(Traffic::Refuse);
    let refused = "the doorbell is out of reach";
    until(&team, "it notices", || team.log().contains(refused)).await;
    let noticed = beat(&pulse).unwrap();
    until(&team, "many beats", || beat(&pulse).is_some_and(|beat| beat > noticed + 10_000)).await;
    assert_eq!(check(&pulse, "60000").0, Some(0), "{}", team.log());

    proxy.set(Traffic::Pass);
    let repo = Repo::demo();
    let job = team.submit_demo(&repo).await;
    assert_eq!(team.finished(job).await.0.outcome, Some(Outcome::Verified), "{}", team.log());
}
