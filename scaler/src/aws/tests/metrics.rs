//! Putting metrics and asking for them.

use std::time::{Duration, SystemTime};

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::stand_in::{Play, StandIn};
use super::{aws, patience};
use crate::aws::{Datum, Metrics, PutError, Unit};

fn depth(values: Vec<f64>) -> Datum {
    let counts = vec![1.0; values.len()];
    Datum { name: "QueueDepth", service: "mechanic-worker".to_owned(), unit: Unit::Count, values, counts }
}

fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_030)
}

async fn metrics(url: &str) -> Metrics {
    Metrics::with_patience(&aws(url).await, patience())
}

async fn put_at(url: &str) -> Result<(), PutError> {
    metrics(url).await.put(noon(), &[depth(vec![3.0])]).await
}

async fn put(play: Play) -> Result<(), PutError> {
    put_at(&StandIn::start([play]).await.url).await
}

#[tokio::test]
async fn a_batch_is_one_call() {
    let mut stand_in = StandIn::start([]).await;
    let metrics = Metrics::new(&aws(&stand_in.url).await);
    let took = Datum {
        name: "JobDuration",
        unit: Unit::Milliseconds,
        values: vec![10.0, 20.0],
        counts: vec![2.0, 7.0],
        ..depth(vec![])
    };
    metrics.put(noon(), &[depth(vec![3.0]), took]).await.unwrap();
    let arrived = stand_in.arrived().await;
    assert_eq!(arrived.operation, "PutMetricData");
    let datum = |name, unit, values, counts| {
        format!(
            r#"{{_ "MetricName": "{name}", "Dimensions": [{{_ "Name": "Service", "Value": "mechanic-worker"}}], "Timestamp": 1(1.80000003e9), "Values": {values}, "Counts": {counts}, "Unit": "{unit}"}}"#
        )
    };
    let (depth, took) = (
        datum("QueueDepth", "Count", "[3e0]", "[1e0]"),
        datum("JobDuration", "Milliseconds", "[1e1, 2e1]", "[2e0, 7e0]"),
    );
    let expected = format!(r#"{{_ "Namespace": "AICodeTeam", "MetricData": [{depth}, {took}]}}"#);
    assert_eq!(arrived.body, expected);
    metrics.put(noon(), &[]).await.unwrap();
    assert_eq!(stand_in.others(), 0, "no data, no call");
}

#[tokio::test]
async fn a_batch_that_was_refused_may_be_sent_again() {
    let denied =
        Play::Refuse(403, "AccessDenied", "is not authorized to perform: cloudwatch:PutMetricData on x");
    let error = put(denied).await.unwrap_err();
    assert!(matches!(&error, PutError::NotRecorded(_)), "{error}");
    assert!(error.to_string().contains("refuses cloudwatch:PutMetricData"), "{error}");
    for (status, code) in [(400, "ThrottlingException"), (400, "InvalidParameterValue")] {
        let error = put(Play::Refuse(status, code, "no")).await.unwrap_err();
        assert!(matches!(&error, PutError::NotRecorded(_)), "{error}");
    }
}

#[tokio::test]
async fn a_batch_that_never_left_may_be_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = put_at(&url).await.unwrap_err();
    assert!(matches!(&error, PutError::NotRecorded(_)), "{error}");
}

#[tokio::test]
async fn a_batch_without_a_clear_answer_is_in_doubt() {
    for play in [Play::Refuse(500, "InternalServiceFault", ""), Play::Words(502, "bad gateway"), Play::Hang] {
        let error = put(play).await.unwrap_err();
        assert!(matches!(&error, PutError::InDoubt(_)), "{error}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 64]).await.unwrap();
    });
    let error = put_at(&url).await.unwrap_err();
    assert!(matches!(&error, PutError::InDoubt(_)), "{error}");
    server.await.unwrap();
}

#[tokio::test]
async fn a_batch_that_cloudwatch_would_not_take_is_not_sent() {
    let mut stand_in = StandIn::start([]).await;
    let metrics = metrics(&stand_in.url).await;
    let counts = |counts| Datum { counts, ..depth(vec![1.0]) };
    let unfit = [
        vec![depth(vec![1.0; 151])],
        vec![depth(vec![])],
        vec![depth(vec![f64::NAN])],
        vec![counts(vec![1.0, 1.0])],
        vec![counts(vec![0.0])],
        vec![Datum { service: String::new(), ..depth(vec![1.0]) }],
        vec![depth(vec![1.0]); 1_001],
    ];
    for data in unfit {
        let error = metrics.put(noon(), &data).await.unwrap_err();
        assert!(matches!(&error, PutError::Unfit(_)), "{error}");
    }
    assert_eq!(stand_in.others(), 0);
    let full: Vec<f64> = (0..150_u32).map(f64::from).collect();
    metrics.put(noon(), &[depth(full)]).await.unwrap();
}

/// CloudWatch's answer with one data point, or none.
fn statistics(maximum: Option<f64>) -> Play {
    let mut body = Vec::new();
    let mut encoder = minicbor::Encoder::new(&mut body);
    encoder.map(2).unwrap().str("Label").unwrap().str("QueueDepth").unwrap().str("Datapoints").unwrap();
    encoder.array(u64::from(maximum.is_some())).unwrap();
    if let Some(maximum) = maximum {
        encoder.map(1).unwrap().str("Maximum").unwrap().f64(maximum).unwrap();
    }
    Play::Answer(body)
}

#[tokio::test]
async fn what_is_recorded_for_a_minute_can_be_asked() {
    let mut stand_in = StandIn::start([statistics(Some(3.0)), statistics(None)]).await;
    let metrics = metrics(&stand_in.url).await;
    assert_eq!(metrics.recorded("QueueDepth", "mechanic-worker", noon()).await, Ok(Some(3.0)));
    let body = stand_in.arrived().await.body.to_string();
    assert!(body.contains("1(1.8e9)") && body.contains("1(1.80000006e9)"), "a whole minute: {body}");
    assert_eq!(metrics.recorded("QueueDepth", "mechanic-worker", noon()).await, Ok(None));
    stand_in.then(Play::Refuse(403, "AccessDenied", "no"));
    let error = metrics.recorded("QueueDepth", "mechanic-worker", noon()).await.unwrap_err();
    assert!(error.sentence.contains("cloudwatch:GetMetricStatistics"), "{error}");
}
