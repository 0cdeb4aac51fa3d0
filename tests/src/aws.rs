//! AWS for a test: the stand-in of `tests/aws` as a process on a free port, with ECS services whose tasks are real processes.
//!
//! It ends with its tasks when its standard input closes, so that nothing outlives a test, even one that was killed. `stop`
//! waits for that; a drop does not.

mod http;
mod seen;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::PATIENCE;
pub use seen::{Call, Datum, Fault, Fleet, Task};

/// How the stand-in behaves. Where a field says nothing else, the default is AWS's own, but for the start, which takes 200 ms.
#[derive(Clone, Debug)]
pub struct Options {
    /// A task's command. Empty: tasks are only counted.
    pub worker: Vec<String>,
    /// What a task has in its environment beside MODE, ECS_AGENT_URI and the settings of AWS.
    pub worker_env: Vec<(String, String)>,
    /// Where tasks write. None: the standard error of the test.
    pub log: Option<PathBuf>,
    /// From the wish for a task to its process, with up to `start_spread` more.
    pub start: Duration,
    pub start_spread: Duration,
    /// From SIGTERM to SIGKILL.
    pub stop_timeout: Duration,
    /// Before a task that ended by itself is replaced; doubles with each that follows.
    pub back_off: Duration,
    /// How long a minute of task protection lasts.
    pub minute: Duration,
    /// Of the choice which task a scale-in stops.
    pub seed: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            worker: Vec::new(),
            worker_env: Vec::new(),
            log: None,
            start: Duration::from_millis(200),
            start_spread: Duration::ZERO,
            stop_timeout: Duration::from_secs(120),
            back_off: Duration::from_millis(500),
            minute: Duration::from_secs(60),
            seed: 0,
        }
    }
}

impl Options {
    fn arguments(&self) -> Vec<String> {
        let ms = |duration: Duration| duration.as_millis().to_string();
        let env: serde_json::Map<String, Value> =
            self.worker_env.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let mut arguments = vec![
            ("--start-ms", ms(self.start)),
            ("--start-spread-ms", ms(self.start_spread)),
            ("--stop-timeout-s", self.stop_timeout.as_secs_f64().to_string()),
            ("--back-off-ms", ms(self.back_off)),
            ("--minute-ms", ms(self.minute)),
            ("--seed", self.seed.to_string()),
            ("--worker-env", json!(env).to_string()),
        ];
        if !self.worker.is_empty() {
            arguments.push(("--worker", json!(self.worker).to_string()));
        }
        if let Some(log) = &self.log {
            arguments.push(("--log", log.display().to_string()));
        }
        arguments.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect()
    }
}

pub struct AwsStandIn {
    url: String,
    child: Child,
}

impl AwsStandIn {
    pub async fn start(options: Options) -> AwsStandIn {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let installed = tests.join("../target/aws-stand-in-venv/bin/python");
        let python = if installed.exists() { installed } else { PathBuf::from("python3") };
        let mut command = Command::new(python);
        command.args(["-m", "aws_stand_in"]).args(options.arguments()).env("PYTHONPATH", tests.join("aws"));
        command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3, which script/setup looks for");
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let reading = tokio::time::timeout(PATIENCE, said.read_line(&mut line));
        reading.await.expect("the stand-in for AWS to start").unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            panic!("the stand-in for AWS does not start; run script/setup. It said: {line:?}")
        });
        AwsStandIn { url: ready["url"].as_str().unwrap().to_owned(), child }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Of the stand-in's own process.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("a process that has not been waited for")
    }

    /// What a program needs to take this for AWS.
    pub fn envs(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.url.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// The calls to AWS behind the one numbered `after`, in the order of their arrival.
    pub async fn calls(&self, after: usize) -> Vec<Call> {
        seen::calls(self.control("GET", &format!("calls?after={after}"), &Value::Null).await).1
    }

    /// Waits until the calls behind `after` are `enough`.
    pub async fn calls_until(&self, after: usize, enough: impl Fn(&[Call]) -> bool) -> Vec<Call> {
        let mut version = -1;
        let mut calls = Vec::new();
        let waiting = async {
            while version < 0 || !enough(&calls) {
                let path = format!("calls?after={after}&newer_than={version}&wait_ms=30000");
                (version, calls) = seen::calls(self.control("GET", &path, &Value::Null).await);
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("such calls never came; these did: {calls:#?}");
        }
        calls
    }

    /// All tasks that there ever were, and what the services desire.
    pub async fn fleet(&self) -> Fleet {
        seen::fleet(self.control("GET", "tasks", &Value::Null).await)
    }

    pub async fn tasks(&self) -> Vec<Task> {
        self.fleet().await.tasks
    }

    /// Waits until tasks and desired counts are as `wanted`.
    pub async fn fleet_until(&self, wanted: impl Fn(&Fleet) -> bool) -> Fleet {
        let mut fleet = self.fleet().await;
        let waiting = async {
            while !wanted(&fleet) {
                let path = format!("tasks?newer_than={}&wait_ms=30000", fleet.version);
                fleet = seen::fleet(self.control("GET", &path, &Value::Null).await);
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("the fleet never became so; it is: {fleet:#?}");
        }
        fleet
    }

    /// Every datum that CloudWatch took.
    pub async fn metrics(&self) -> Vec<Datum> {
        seen::metrics(self.control("GET", "metrics", &Value::Null).await)
    }

    /// The next `times` calls of an operation (`*`: of any) meet this fault; None: all, until `clear_faults`.
    pub async fn fault(&self, operation: &str, fault: Fault, times: Option<u32>) {
        let (kind, ms) = fault.kind();
        let body = json!({"operation": operation, "kind": kind, "ms": ms, "times": times});
        self.control("POST", "fault", &body).await;
    }

    /// The same for the tasks' protection: `refused` (status 200, as AWS does it), `error` (400) or `hang`.
    pub async fn agent_fault(&self, kind: &str, times: Option<u32>) {
        self.control("POST", "agent-fault", &json!({"kind": kind, "times": times})).await;
    }

    /// No faults any more; what hangs is cut off.
    pub async fn clear_faults(&self) {
        self.control("DELETE", "faults", &Value::Null).await;
    }

    /// Sets a service's desired count past the scaler, as a person does in the console.
    pub async fn set_capacity(&self, service: &str, desired: u32) {
        self.control("POST", "capacity", &json!({"service": service, "desired": desired})).await;
    }

    /// A call to AWS in the JSON protocol, as a person with a command line makes it: `target` is what X-Amz-Target holds.
    pub async fn aws(&self, service: &str, target: &str, arguments: &Value) -> (u16, Value) {
        let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
        let (status, body) =
            self.signed(service, "/", &headers, arguments.to_string().into_bytes()).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Any POST that is signed for a service. An error: the connection was closed without an answer.
    pub async fn signed(
        &self,
        service: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<(u16, Vec<u8>), hyper::Error> {
        let signature = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=none"
        );
        let mut all = vec![("authorization", signature.as_str())];
        all.extend_from_slice(headers);
        http::ask(&self.url, "POST", path, &all, body).await
    }

    /// Asks the agent of a task for its protection (`body` is null), or changes it.
    pub async fn protection(&self, task: &str, body: &Value) -> (u16, Value) {
        let path = format!("/agent/{task}/task-protection/v1/state");
        let (method, body) =
            if body.is_null() { ("GET", Vec::new()) } else { ("PUT", body.to_string().into_bytes()) };
        let (status, said) = http::ask(&self.url, method, &path, &[], body).await.unwrap();
        (status, serde_json::from_slice(&said).unwrap())
    }

    async fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let path = format!("/_stand_in/{path}");
        let (status, said) = http::ask(&self.url, method, &path, &[], body).await.unwrap();
        let said: Value = serde_json::from_slice(&said).unwrap();
        assert_eq!(status, 200, "{method} {path}: {said}");
        said
    }

    /// Ends it with all its tasks, and waits until they are gone.
    pub async fn stop(mut self) {
        drop(self.child.stdin.take());
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let ended = ended.expect("the stand-in for AWS to end").unwrap();
        assert!(ended.success(), "the stand-in for AWS ended badly: {ended}");
    }
}
