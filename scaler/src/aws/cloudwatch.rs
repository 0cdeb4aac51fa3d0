//! What happened, as numbers in CloudWatch: namespace `AICodeTeam`, one dimension `Service`, one call per batch.

use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit, Statistic};

use super::gate::Gate;
use aws_client::Facts;
use aws_client::{About, AwsError, classify};
use aws_client::{Aws, Patience};

const NAMESPACE: &str = "AICodeTeam";
const PUT: &str = "cloudwatch:PutMetricData";
const GET: &str = "cloudwatch:GetMetricStatistics";
/// For one call in all. Nobody waits for it, and it runs once a minute.
const PATIENCE: Duration = Duration::from_secs(5);
/// CloudWatch takes no more distinct values in one datum.
pub const MOST_VALUES: usize = 150;
/// CloudWatch takes no more metrics in one call.
pub const MOST_DATA: usize = 1_000;

/// The values of one metric of one service within a minute.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// As in `QueueDepth`.
    pub name: &'static str,
    /// The value of the dimension `Service`.
    pub service: String,
    pub unit: Unit,
    /// Distinct values, 1 to [`MOST_VALUES`] of them.
    pub values: Vec<f64>,
    /// How often each of them occurred: as many, each above zero.
    pub counts: Vec<f64>,
}

/// What a metric's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things counted.
    Count,
    /// Milliseconds.
    Milliseconds,
}

/// A batch that was not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// It is surely not recorded: it may be sent again.
    #[error("metrics are not recorded: {0}")]
    NotRecorded(#[source] AwsError),
    /// It may be recorded: sending it again may count it twice. [`Metrics::recorded`] tells.
    #[error("whether metrics are recorded is not known: {0}")]
    InDoubt(#[source] AwsError),
    /// CloudWatch would not take it, and it was not sent: a defect of whoever made it.
    #[error("metrics are not sent: {0}")]
    Unfit(String),
}

/// The client of CloudWatch.
#[derive(Clone, Debug)]
pub struct Metrics {
    client: Client,
    aws: Aws,
}

impl Metrics {
    /// Shares `aws`'s connections.
    pub fn new(aws: &Aws) -> Self {
        let patience = Patience { read: PATIENCE, operation: PATIENCE, ..aws.patience() };
        Self::with_patience(aws, patience)
    }

    pub(super) fn with_patience(aws: &Aws, patience: Patience) -> Self {
        let aws = aws.with_patience(patience);
        Self { client: Client::new(aws.sdk()), aws }
    }

    /// Records `data` at the time `at`, all in one call. No data, no call.
    ///
    /// # Errors
    ///
    /// Says whether the batch may be sent again. Nothing is tried again here.
    pub async fn put(&self, at: SystemTime, data: &[Datum]) -> Result<(), PutError> {
        check(data)?;
        if data.is_empty() {
            return Ok(());
        }
        let gate = Gate::open(self.aws.time().clone());
        self.client
            .put_metric_data()
            .namespace(NAMESPACE)
            .set_metric_data(Some(data.iter().map(|datum| wire(datum, at)).collect()))
            .customize()
            .interceptor(gate.clone())
            .send()
            .await
            .map(drop)
            .map_err(|error| {
                let facts = Facts::of(&error, gate.passed_at().is_some());
                let error = classify(&facts, self.about(PUT));
                if error.in_doubt { PutError::InDoubt(error) } else { PutError::NotRecorded(error) }
            })
    }

    /// The highest value that is recorded for `minute`: for finding out what became of a batch in doubt.
    ///
    /// None is no proof at once: CloudWatch shows a value some minutes after it was put.
    ///
    /// # Errors
    ///
    /// When CloudWatch does not answer. Nothing is tried again here.
    pub async fn recorded(
        &self,
        name: &str,
        service: &str,
        minute: SystemTime,
    ) -> Result<Option<f64>, AwsError> {
        let gate = Gate::open(self.aws.time().clone());
        let start = whole_minute(minute);
        let answer = self
            .client
            .get_metric_statistics()
            .namespace(NAMESPACE)
            .metric_name(name)
            .dimensions(dimension(service))
            .start_time(start.into())
            .end_time((start + Duration::from_secs(60)).into())
            .period(60)
            .statistics(Statistic::Maximum)
            .customize()
            .interceptor(gate.clone())
            .send()
            .await
            .map_err(|error| classify(&Facts::of(&error, gate.passed_at().is_some()), self.about(GET)))?;
        Ok(answer.datapoints().iter().find_map(|point| point.maximum()))
    }

    fn about<'a>(&'a self, action: &'a str) -> About<'a> {
        About { action, subject: "namespace AICodeTeam", region: self.aws.region() }
    }
}

/// Whether CloudWatch would take `data`: it refuses a whole call for one bad datum.
fn check(data: &[Datum]) -> Result<(), PutError> {
    if data.len() > MOST_DATA {
        return Err(PutError::Unfit(format!(
            "{} metrics are more than the {MOST_DATA} of one call",
            data.len()
        )));
    }
    for Datum { name, service, values, counts, .. } in data {
        let wrong = if service.is_empty() {
            "it names no service"
        } else if values.is_empty() || values.len() > MOST_VALUES {
            "it needs 1 to 150 distinct values"
        } else if values.len() != counts.len() {
            "it needs one count for each value"
        } else if !values.iter().all(|value| value.is_finite()) {
            "a value is no number"
        } else if !counts.iter().all(|count| count.is_finite() && *count > 0.0) {
            "a count is not above zero"
        } else {
            continue;
        };
        return Err(PutError::Unfit(format!("{name} of {service:?}: {wrong}")));
    }
    Ok(())
}

fn wire(datum: &Datum, at: SystemTime) -> MetricDatum {
    MetricDatum::builder()
        .metric_name(datum.name)
        .dimensions(dimension(&datum.service))
        .timestamp(DateTime::from(at))
        .unit(match datum.unit {
            Unit::Count => StandardUnit::Count,
            Unit::Milliseconds => StandardUnit::Milliseconds,
        })
        .set_values(Some(datum.values.clone()))
        .set_counts(Some(datum.counts.clone()))
        .build()
}

fn dimension(service: &str) -> Dimension {
    Dimension::builder().name("Service").value(service).build()
}

/// The beginning of the minute that `at` lies in; CloudWatch keeps whole minutes.
fn whole_minute(at: SystemTime) -> SystemTime {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since - since % 60)
}
