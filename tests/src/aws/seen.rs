//! What the stand-in for AWS has seen, and what it may be told to get wrong. Times that end in `_ns` are since 1970.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// A call to AWS.
#[derive(Clone, Debug, Deserialize)]
pub struct Call {
    /// From 1, in the order of arrival.
    pub n: usize,
    /// When its first line had arrived.
    pub at_ns: u64,
    /// The access key that it is signed with.
    pub key: Option<String>,
    /// As requests are signed: `application-autoscaling`, `monitoring`, `ecs`, `secretsmanager`.
    pub service: String,
    pub operation: String,
    pub resource: Option<String>,
    pub min: Option<i64>,
    pub max: Option<i64>,
    /// Of ECS's UpdateService.
    pub desired: Option<i64>,
    /// How many data a PutMetricData brought.
    pub data: Option<usize>,
    /// The kind of fault that it met.
    pub fault: Option<String>,
    /// None: not answered yet, or never.
    pub status: Option<u16>,
}

/// What the services of ECS have and want.
#[derive(Clone, Debug, Deserialize)]
pub struct Fleet {
    pub version: i64,
    /// By service.
    pub desired: BTreeMap<String, u32>,
    pub tasks: Vec<Task>,
}

impl Fleet {
    /// How many tasks are in a state.
    pub fn count(&self, service: &str, state: &str) -> usize {
        self.tasks.iter().filter(|task| task.service == service && task.state == state).count()
    }
}

/// A task of ECS.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    pub id: String,
    pub service: String,
    /// pending, running, stopping or stopped.
    pub state: String,
    pub pid: Option<i32>,
    pub protected: bool,
    /// Every change of its protection.
    pub protections: Vec<Protection>,
    pub requested_at_ns: u64,
    pub started_at_ns: Option<u64>,
    pub signalled_at_ns: Option<u64>,
    pub stopped_at_ns: Option<u64>,
    /// Negative: the signal that ended it.
    pub exit_code: Option<i32>,
    pub why_stopped: Option<String>,
    /// Whether it was protected when it was told to stop; must never be so in a scale-in.
    pub protected_when_signalled: Option<bool>,
    /// Whether it did not stop in time.
    pub killed: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Protection {
    pub at_ns: u64,
    pub enabled: bool,
}

/// A datum as it came to CloudWatch: one value, values with counts, or statistics.
#[derive(Clone, Debug, Deserialize)]
pub struct Datum {
    pub at_ns: u64,
    pub namespace: String,
    pub name: String,
    pub dimensions: BTreeMap<String, String>,
    /// In seconds since 1970.
    pub timestamp: Option<f64>,
    pub unit: Option<String>,
    pub value: Option<f64>,
    pub values: Option<Vec<f64>>,
    pub counts: Option<Vec<f64>>,
    pub statistics: Option<BTreeMap<String, f64>>,
}

/// What can go wrong with a call. But for `Slow`, it then takes no effect.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Throttle,
    ConcurrentUpdate,
    Error500,
    AccessDenied,
    /// It is never answered.
    Hang,
    /// The answer is cut off.
    Malformed,
    /// It is carried out so much later.
    Slow(Duration),
}

impl Fault {
    pub(super) fn kind(self) -> (&'static str, u64) {
        match self {
            Fault::Throttle => ("throttle", 0),
            Fault::ConcurrentUpdate => ("concurrent_update", 0),
            Fault::Error500 => ("error_500", 0),
            Fault::AccessDenied => ("access_denied", 0),
            Fault::Hang => ("hang", 0),
            Fault::Malformed => ("malformed", 0),
            Fault::Slow(wait) => ("slow", u64::try_from(wait.as_millis()).unwrap()),
        }
    }
}

pub(super) fn calls(mut said: Value) -> (i64, Vec<Call>) {
    (said["version"].as_i64().unwrap(), serde_json::from_value(said["calls"].take()).unwrap())
}

pub(super) fn fleet(said: Value) -> Fleet {
    serde_json::from_value(said).unwrap()
}

pub(super) fn metrics(mut said: Value) -> Vec<Datum> {
    serde_json::from_value(said["metrics"].take()).unwrap()
}
