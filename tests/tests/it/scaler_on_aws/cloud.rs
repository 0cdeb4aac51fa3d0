//! A team on ECS: a database, the stand-in for AWS whose tasks are the real worker program, and scalers that drive it.

use domain::Mode;
use store::{Decision, FleetEvent};
use system_tests::aws::{AwsStandIn, Call, Options};
use system_tests::{PATIENCE, Program, Team, program};
use testkit::TestDatabase;
use tokio::time::timeout;
use tokio_postgres::Client;

pub const MECHANIC: &str = "mechanic-worker";
pub const GENIUS: &str = "genius-worker";
pub const REGISTER: &str = "RegisterScalableTarget";
pub const PUT: &str = "PutMetricData";

/// What every scaler here is told unless a test says something else: nothing is published, and a fleet cools down soon.
const SETTINGS: [(&str, &str); 3] = [("ACTUATOR", "aws"), ("METRICS_EACH_MS", "0"), ("COOL_DOWN_MS", "500")];

pub struct Cloud {
    pub aws: AwsStandIn,
    pub team: Team,
    /// For looking at and spoiling what no program may.
    pub owner: Client,
    /// Its URL for scalers.
    pub database: String,
}

impl Cloud {
    /// Its tasks are only counted, so that jobs stay where they are.
    pub async fn counting() -> Cloud {
        Cloud::on(TestDatabase::new().await, "http://127.0.0.1:9", None).await
    }

    /// Its tasks are workers that ask the model at `model`.
    pub async fn working(model: &str) -> Cloud {
        Cloud::on(TestDatabase::new().await, model, Some(Options::default())).await
    }

    /// `options`: of workers; None: there are none.
    pub async fn on(database: TestDatabase, model: &str, options: Option<Options>) -> Cloud {
        let owner = database.client("postgres").await;
        let scalers = database.url("codeteam_scaler");
        let team = Team::on_database(database, model).await;
        let worker_env = [
            ("SECRETS", team.secrets("codeteam_worker")),
            ("WORK_DIR", team.path("work").display().to_string()),
            ("ANTHROPIC_BASE_URL", model.to_owned()),
        ];
        let options = options.map_or_else(Options::default, |options| Options {
            worker: vec![program("worker").display().to_string()],
            worker_env: worker_env.map(|(name, value)| (name.to_owned(), value)).into(),
            log: Some(team.path("log")),
            ..options
        });
        Cloud { aws: AwsStandIn::start(options).await, team, owner, database: scalers }
    }

    /// Starts a scaler. Its name is the key that it signs its calls with, and that of its log.
    pub fn scaler(&self, name: &str, settings: &[(&'static str, &str)]) -> Program {
        let secrets = self.team.path("scaler.json");
        std::fs::write(&secrets, serde_json::json!({"DATABASE_URL": self.database}).to_string()).unwrap();
        std::fs::set_permissions(&secrets, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let mut env = self.aws.envs();
        env.extend(SETTINGS.map(|(name, value)| (name, value.to_owned())));
        env.push(("SECRETS", format!("file:{}", secrets.display())));
        env.push(("AWS_ACCESS_KEY_ID", name.to_owned()));
        env.extend(settings.iter().map(|&(name, value)| (name, value.to_owned())));
        Program::start("scaler", &[], &env, &self.team.path(name))
    }

    /// What a scaler logged.
    pub fn log(&self, scaler: &str) -> String {
        std::fs::read_to_string(self.team.path(scaler)).unwrap_or_default()
    }

    /// Waits until a scaler's log passes `enough`.
    pub async fn logged(&self, scaler: &str, enough: impl Fn(&str) -> bool) {
        until("a line in the log", async || enough(&self.log(scaler))).await;
    }

    /// Queues `count` jobs at once.
    pub async fn queue(&self, mode: Mode, count: usize) -> Vec<domain::JobId> {
        let job = domain::NewJob { mode, ..testkit::job() };
        self.team.api.submit_all(&vec![job; count]).await.unwrap()
    }

    /// Waits until AWS has taken this target in a call behind `after`; gives the calls since then.
    pub async fn called(&self, after: usize, service: &str, target: i64) -> Vec<Call> {
        self.aws.calls_until(after, |calls| took(calls, service).contains(&target)).await
    }

    /// The number of the latest call.
    pub async fn calls_so_far(&self) -> usize {
        self.aws.calls(0).await.len()
    }

    /// Whether `condition` holds of the database.
    pub async fn holds(&self, condition: &str) -> bool {
        self.owner.query_one(&format!("select {condition}"), &[]).await.unwrap().get(0)
    }

    pub async fn until(&self, condition: &str) {
        until(condition, async || self.holds(condition).await).await;
    }

    /// Waits until the one scaler has made no statement for two of the looks that it takes while it is awake.
    pub async fn asleep(&self) {
        self.until(
            "coalesce((select bool_and(clock_timestamp() - state_change > '2 seconds') from pg_stat_activity
              where usename = 'codeteam_scaler' and datname = current_database()), false)",
        )
        .await;
    }

    /// Oldest first.
    pub async fn decisions(&self) -> Vec<Decision> {
        let mut decisions = self.team.api.decisions(1_000).await.unwrap();
        decisions.reverse();
        decisions
    }

    /// Oldest first.
    pub async fn fleet_events(&self, kind: &str) -> Vec<FleetEvent> {
        let events = self.team.api.fleet_events(1_000).await.unwrap();
        events.into_iter().rev().filter(|event| event.kind == kind).collect()
    }

    /// What the leader says that it cannot do.
    pub async fn trouble(&self) -> Option<String> {
        self.team.api.leader().await.unwrap().trouble
    }
}

/// The targets that AWS took for a service, in their order.
pub fn took(calls: &[Call], service: &str) -> Vec<i64> {
    let resource = format!("service/ai-coding-team/{service}");
    calls
        .iter()
        .filter(|call| call.operation == REGISTER && call.resource.as_deref() == Some(&resource))
        .filter(|call| call.status == Some(200) && call.fault.as_deref() != Some("malformed"))
        .map(|call| {
            assert_eq!(call.min, call.max, "a target is exact: {call:?}");
            call.min.unwrap()
        })
        .collect()
}

pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !so().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it never came: {what}"));
}
