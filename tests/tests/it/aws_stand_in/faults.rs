//! What is told to go wrong does, as often as it was told, and takes no effect.

use std::time::Duration;

use serde_json::Value;
use system_tests::aws::{AwsStandIn, Fault, Options};

use super::{MECHANIC, register};

#[tokio::test]
async fn a_call_meets_the_fault_so_often_and_then_none() {
    let aws = AwsStandIn::start(Options::default()).await;
    let refusals = [
        (Fault::Throttle, 400, "ThrottlingException"),
        (Fault::ConcurrentUpdate, 400, "ConcurrentUpdateException"),
        (Fault::AccessDenied, 400, "AccessDeniedException"),
        (Fault::Error500, 500, "InternalServiceException"),
    ];
    for (fault, status, code) in refusals {
        aws.fault("RegisterScalableTarget", fault, Some(2)).await;
        for _ in 0..2 {
            let (got, said) = register(&aws, MECHANIC, 1, 1).await;
            assert_eq!((got, said["__type"].as_str()), (status, Some(code)));
        }
    }
    aws.fault("*", Fault::Malformed, Some(1)).await;
    assert_eq!(register(&aws, MECHANIC, 1, 1).await, (200, Value::Null));
    assert_eq!(aws.fleet().await.desired[MECHANIC], 0, "nothing of that took effect");

    aws.fault("PutMetricData", Fault::Throttle, None).await;
    aws.fault("RegisterScalableTarget", Fault::Slow(Duration::from_millis(10)), Some(1)).await;
    assert_eq!(register(&aws, MECHANIC, 1, 1).await.0, 200);
    assert_eq!(aws.fleet().await.desired[MECHANIC], 1);
    let met: Vec<Option<String>> = aws.calls(0).await.into_iter().map(|call| call.fault).collect();
    assert_eq!(met[8..], [Some("malformed".to_owned()), Some("slow".to_owned())]);
    aws.stop().await;
}

#[tokio::test]
async fn a_call_that_hangs_is_seen_and_never_answered() {
    let aws = AwsStandIn::start(Options::default()).await;
    aws.fault("RegisterScalableTarget", Fault::Hang, Some(1)).await;
    let headers = [("x-amz-target", "AnyScaleFrontendService.RegisterScalableTarget")];
    let hanging = aws.signed("application-autoscaling", "/", &headers, b"{}".to_vec());
    let seen = async {
        let calls = aws.calls_until(0, |calls| calls.iter().any(|call| call.fault.is_some())).await;
        aws.clear_faults().await;
        calls
    };
    let (hanging, calls) = tokio::join!(hanging, seen);
    assert!(hanging.is_err(), "it was cut off without an answer: {hanging:?}");
    assert_eq!((calls[0].n, calls[0].status), (1, None));
    assert_eq!(register(&aws, MECHANIC, 1, 1).await.0, 200);
    aws.stop().await;
}
