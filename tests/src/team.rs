//! A database, its roles' secrets, and the programs that a test starts on them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::{Event, EventRecord, JobId, Mode, NewJob, Task};
use nix::unistd::geteuid;
use store::{Config, Database, JobRow, ReadEvents};
use testkit::{Server, TestDatabase};
use tokio::time::timeout;

use crate::github::{self, GitHub};
use crate::{Program, Repo};

/// How long a test waits for what must come. Only a test that fails waits so long.
pub const PATIENCE: Duration = Duration::from_secs(90);

const TEST_KEY: &str = "sk-test-key";

pub struct Team {
    urls: Box<dyn Fn(&str) -> String + Send + Sync>,
    dir: tempfile::TempDir,
    pub api: Arc<Database>,
    model_url: String,
    extra: Vec<(&'static str, String)>,
    keys: Vec<(&'static str, String)>,
}

impl Team {
    /// On the shared server; its workers ask the model at `model_url`.
    pub async fn new(model_url: &str) -> Team {
        Team::on_database(TestDatabase::new().await, model_url).await
    }

    /// On a database that the test looks into.
    pub async fn on_database(database: TestDatabase, model_url: &str) -> Team {
        Team::on(Box::new(move |role| database.url(role)), model_url).await
    }

    /// On a server of the test's own.
    pub async fn on_server(server: &Server, model_url: &str) -> Team {
        let name = TestDatabase::create(server, "template codeteam_template").await;
        let urls: Vec<(String, String)> = ["postgres", "codeteam_api", "codeteam_worker", "codeteam_scaler"]
            .map(|role| (role.to_owned(), server.url(role, &name)))
            .into();
        let find = move |role: &str| urls.iter().find(|(name, _)| name == role).unwrap().1.clone();
        Team::on(Box::new(find), model_url).await
    }

    async fn on(urls: Box<dyn Fn(&str) -> String + Send + Sync>, model_url: &str) -> Team {
        let dir = tempfile::Builder::new().prefix("team-").tempdir().unwrap();
        // Commands run as another user when the tests run as root: they must be able to pass.
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        let api = Database::open(Config::parse(&urls("codeteam_api"), "test").unwrap()).await.unwrap();
        Team {
            urls,
            dir,
            api: Arc::new(api),
            model_url: model_url.to_owned(),
            extra: Vec::new(),
            keys: vec![("ANTHROPIC_API_KEY", TEST_KEY.to_owned())],
        }
    }

    /// One more setting for the programs that are started from now on.
    pub fn set(&mut self, name: &'static str, value: impl ToString) {
        self.extra.push((name, value.to_string()));
    }

    /// One more secret for its workers, or another value of one.
    pub fn key(&mut self, name: &'static str, value: &str) {
        self.keys.push((name, value.to_owned()));
    }

    /// Its workers know `github` as an App.
    pub fn on_github(&mut self, github: &GitHub) {
        self.set("GITHUB_API_URL", &github.url);
        self.set("GITHUB_APP_ID", github::APP_ID);
        self.keys.push(("GITHUB_APP_PRIVATE_KEY", github::Key::of_all().pem.clone()));
    }

    /// One more key in the secrets of programs that are started from now on.
    pub fn add_key(&mut self, name: &'static str) {
        self.keys.push((name, TEST_KEY.to_owned()));
    }

    pub fn url(&self, role: &str) -> String {
        (self.urls)(role)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What the programs logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// A secrets file for `role`, as SECRETS names it.
    pub fn secrets(&self, role: &str) -> String {
        let path = self.path(&format!("{role}.json"));
        let mut json = serde_json::json!({"DATABASE_URL": self.url(role)});
        for (name, value) in &self.keys {
            json[name] = value.as_str().into();
        }
        // In one step: a program that was just started may be reading it.
        let fresh = path.with_extension("new");
        std::fs::write(&fresh, json.to_string()).unwrap();
        std::fs::set_permissions(&fresh, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::rename(&fresh, &path).unwrap();
        format!("file:{}", path.display())
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let mut env = vec![
            ("ANTHROPIC_BASE_URL", self.model_url.clone()),
            ("WORK_DIR", self.path("work").display().to_string()),
        ];
        env.extend(self.extra.iter().cloned());
        env
    }

    pub fn worker(&self) -> Program {
        self.worker_of(Mode::Mechanic)
    }

    pub fn worker_of(&self, mode: Mode) -> Program {
        let mut env = self.environment();
        env.extend([("MODE", mode.to_string()), ("SECRETS", self.secrets("codeteam_worker"))]);
        Program::start("worker", &[], &env, &self.path("log"))
    }

    pub fn scaler(&self) -> Program {
        let mut env = self.environment();
        env.extend([
            ("SECRETS", self.secrets("codeteam_scaler")),
            ("WORKER_SECRETS", self.secrets("codeteam_worker")),
            ("COOL_DOWN_MS", "500".to_owned()),
        ]);
        Program::start("scaler", &[], &env, &self.path("log"))
    }

    /// The demo's job on the demo's repository.
    pub async fn submit_demo(&self, repo: &Repo) -> JobId {
        self.submit(repo, rehearsal::demo::PROMPT, Some(rehearsal::demo::TEST_COMMAND)).await
    }

    pub async fn submit(&self, repo: &Repo, prompt: &str, test: Option<&str>) -> JobId {
        self.api.submit(&bug_fix(repo, prompt, test)).await.unwrap()
    }

    /// Reads a job's events until one passes `until`; gives all of them.
    pub async fn events_until(&self, job: JobId, until: impl Fn(&Event) -> bool) -> Vec<EventRecord> {
        let mut reader = ReadEvents::new(self.api.clone(), job, 0);
        let mut seen: Vec<EventRecord> = Vec::new();
        let reading = async {
            while !seen.iter().any(|record| until(&record.event)) {
                seen.extend(reader.next().await.unwrap());
            }
        };
        if timeout(PATIENCE, reading).await.is_err() {
            panic!("it never came; the events: {seen:#?}\nthe log: {}", self.log());
        }
        reader.close().await.unwrap();
        seen
    }

    /// Waits for the job's end; gives its row and its events.
    pub async fn finished(&self, job: JobId) -> (JobRow, Vec<EventRecord>) {
        let events = self.events_until(job, |event| matches!(event, Event::Finished { .. })).await;
        (self.api.job(job).await.unwrap(), events)
    }

    /// Whether commands run as another user than the worker.
    pub fn is_root() -> bool {
        geteuid().is_root()
    }
}

fn bug_fix(repo: &Repo, prompt: &str, test: Option<&str>) -> NewJob {
    NewJob { test_command: test.map(str::to_owned), ..NewJob::new(Task::BugFix, repo.url(), prompt) }
}
