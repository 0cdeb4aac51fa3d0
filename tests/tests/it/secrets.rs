//! Secrets in AWS Secrets Manager.

use serde_json::json;
use system_tests::CommandLine;
use system_tests::aws::{AwsStandIn, Fault, Options};

const STORE: &str = "secretsmanager.CreateSecret";

async fn on_aws(aws: &AwsStandIn) -> CommandLine {
    let mut line = CommandLine::new();
    aws.envs().iter().for_each(|(name, value)| line.set(name, value));
    line.set("SECRETS", "aws:team/prod/");
    line
}

#[tokio::test]
async fn a_program_finds_its_secrets_there_each_under_its_name() {
    let aws = AwsStandIn::start(Options::default()).await;
    let line = on_aws(&aws).await;
    let missing = line.run(&["migrate"]).await;
    assert_eq!(missing.code, Some(3), "{missing:?}");
    assert!(missing.err.contains("store it as team/prod/DATABASE_URL in AWS Secrets Manager"), "{missing:?}");

    let database = testkit::TestDatabase::new().await;
    let url = database.url("postgres");
    for (name, value) in [("team/prod/DATABASE_URL", url.as_str()), ("team/prod/OPENAI_API_KEY", " ")] {
        let stored = aws.aws("secretsmanager", STORE, &json!({"Name": name, "SecretString": value})).await;
        assert_eq!(stored.0, 200, "{stored:?}");
    }
    let migrated = line.run(&["migrate"]).await;
    assert_eq!(migrated.code, Some(0), "{migrated:?}");
    // All names in one call.
    let calls = aws.calls(0).await;
    let asked = calls.iter().filter(|call| call.operation == "BatchGetSecretValue").count();
    assert_eq!(asked, 2, "{calls:#?}");
    aws.stop().await;
}

#[tokio::test]
async fn what_is_wrong_there_is_said_in_a_sentence() {
    let aws = AwsStandIn::start(Options::default()).await;
    let line = on_aws(&aws).await;
    aws.fault("BatchGetSecretValue", Fault::AccessDenied, Some(1)).await;
    let denied = line.run(&["migrate"]).await;
    assert_eq!(denied.code, Some(3), "{denied:?}");
    assert!(denied.err.contains("secretsmanager:BatchGetSecretValue"), "{denied:?}");
    assert!(denied.err.contains("allow that action"), "{denied:?}");
    // What passes by itself is waited for.
    aws.fault("BatchGetSecretValue", Fault::Throttle, Some(2)).await;
    let binary = json!({"Name": "team/prod/DATABASE_URL", "SecretBinary": "AAEC"});
    assert_eq!(aws.aws("secretsmanager", STORE, &binary).await.0, 200);
    let refused = line.run(&["migrate"]).await;
    assert!(refused.err.contains("store it as a secret string"), "{refused:?}");
    aws.stop().await;
}
