//! What each way of failing becomes, through the SDK and a real connection.

use aws_config::Region;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use domain::Mode;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::stand_in::{Play, StandIn};
use super::{capacity, eager, leading, patience, patient, settings};
use crate::aws::{Capacity, Names, Outcome, Report};
use aws_client::Kind;
use aws_client::{Aws, AwsError};

async fn failure_at(url: &str) -> AwsError {
    let (mut capacity, _permit) = capacity(url, patient()).await;
    capacity.set(Mode::Mechanic, 3, 1);
    match capacity.report().await.outcome {
        Outcome::Failed(error) => error,
        other => panic!("{other:?} is no failure"),
    }
}

async fn failure(play: Play) -> AwsError {
    failure_at(&StandIn::start([play]).await.url).await
}

fn says(error: &AwsError, kind: Kind, in_doubt: bool, words: &[&str]) {
    assert_eq!((error.kind, error.in_doubt), (kind, in_doubt), "{error}");
    for words in words {
        assert!(error.sentence.contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_concurrent_update_is_tried_again_until_it_holds() {
    let busy = || Play::Refuse(400, "ConcurrentUpdateException", "You already have a pending update");
    let mut stand_in = StandIn::start([busy(), busy()]).await;
    let (mut capacity, _permit) = capacity(&stand_in.url, eager()).await;
    capacity.set(Mode::Mechanic, 3, 1);
    let mut reports: Vec<Report> = Vec::new();
    for _ in 0..3 {
        reports.push(capacity.report().await);
    }
    let Outcome::Failed(error) = &reports[0].outcome else { panic!("{reports:?}") };
    says(error, Kind::Conflict, false, &["being changed by somebody else"]);
    assert_eq!((&reports[1].outcome, &reports[2].outcome), (&Outcome::Recovered, &Outcome::Set));
    assert!(reports.iter().all(|report| report.called_at == reports[0].called_at), "the first call counts");
    assert_eq!(stand_in.others(), 3);
}

#[tokio::test]
async fn a_throttled_call_is_known_as_such() {
    let error = failure(Play::Refuse(400, "ThrottlingException", "Rate exceeded")).await;
    says(&error, Kind::Throttled, false, &["fewer calls", "Rate exceeded"]);
}

#[tokio::test]
async fn a_server_that_fails_leaves_doubt() {
    let error = failure(Play::Refuse(500, "InternalServiceException", "")).await;
    says(&error, Kind::Server, true, &["AWS failed"]);
    says(&failure(Play::Words(503, "<html>busy</html>")).await, Kind::Server, true, &["503"]);
}

#[tokio::test]
async fn a_server_that_hangs_is_left_after_a_while_and_leaves_doubt() {
    says(&failure(Play::Hang).await, Kind::TimedOut, true, &["did not answer"]);
}

#[tokio::test]
async fn an_answer_that_is_no_json_leaves_doubt() {
    let error = failure(Play::Words(200, "<html>welcome to the hotel</html>")).await;
    says(&error, Kind::Malformed, true, &["does not speak as AWS does", "AWS_ENDPOINT_URL"]);
}

#[tokio::test]
async fn a_refusal_names_the_action_that_is_needed() {
    let message = "User: arn:aws:sts::1:assumed-role/scaler/x is not authorized to perform: \
                   application-autoscaling:RegisterScalableTarget on resource: arn:aws:x";
    let error = failure(Play::Refuse(400, "AccessDeniedException", message)).await;
    let needed =
        "refuses application-autoscaling:RegisterScalableTarget for service/ai-coding-team/mechanic-worker";
    says(&error, Kind::Denied, false, &[needed, "allow that action"]);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named_with_its_region() {
    let message = "ECS service doesn't exist: service/ai-coding-team/mechanic-worker";
    let error = failure(Play::Refuse(400, "ValidationException", message)).await;
    says(&error, Kind::Missing, false, &["does not exist in region eu-west-9", "AWS_REGION"]);
}

#[tokio::test]
async fn nobody_listening_is_surely_nothing_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    says(&failure_at(&url).await, Kind::Unreachable, false, &["cannot be reached", "AWS_ENDPOINT_URL"]);
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_leaves_doubt() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 64]).await.unwrap();
    });
    says(&failure_at(&url).await, Kind::Unreachable, true, &["the connection broke"]);
    server.await.unwrap();
}

#[derive(Debug)]
struct Nobody;

impl ProvideCredentials for Nobody {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("nobody has any")))
    }
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let mut stand_in = StandIn::start([]).await;
    let aws = Aws::load_with(settings(&stand_in.url).credentials_provider(Nobody), patience()).await.unwrap();
    let permit = leading();
    let mut capacity = Capacity::start(&aws, Names::default(), patient(), permit.subscribe());
    capacity.set(Mode::Mechanic, 3, 1);
    let report = capacity.report().await;
    let Outcome::Failed(error) = report.outcome else { panic!("it failed") };
    says(&error, Kind::Credentials, false, &["no AWS credentials", "AWS_PROFILE"]);
    assert_eq!(report.called_at, None);
    says(&capacity.found().await.unwrap_err(), Kind::Credentials, false, &[]);
    assert_eq!(stand_in.others(), 0);
}

#[tokio::test]
async fn an_endpoint_that_is_no_url_is_told_of_without_the_request() {
    let error = failure_at("nonsense").await;
    says(&error, Kind::Settings, false, &["check AWS_ENDPOINT_URL"]);
    assert!(!error.sentence.contains("mechanic-worker"), "{error}");
}

#[tokio::test]
async fn without_a_region_there_is_nobody_to_ask() {
    let nowhere = settings("http://127.0.0.1:1").region(None::<Region>);
    let error = Aws::load_with(nowhere, patience()).await.unwrap_err();
    says(&error, Kind::Settings, false, &["set AWS_REGION"]);
}
