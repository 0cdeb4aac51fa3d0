//! Reading from AWS Secrets Manager: all names in one call, each a secret of its own, `PREFIX/NAME`.
//!
//! What the program's role may not read counts as absent, so that each service can be given only what it needs; the reason is kept
//! for whoever requires it.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_client::{About, Aws, AwsError, Facts, Patience, classify};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::batch_get_secret_value::BatchGetSecretValueOutput;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep};

use super::{Name, SecretsError};

const ACTION: &str = "secretsmanager:BatchGetSecretValue";
/// A program that starts waits as long as this for a service that is busy or out of reach.
const WITHIN: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(500);
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(3),
    read: Duration::from_secs(5),
    credentials: Duration::from_secs(5),
    operation: Duration::from_secs(10),
};

/// What was found, and why the rest was not.
#[derive(Default)]
pub(super) struct Found {
    pub values: BTreeMap<Name, SecretString>,
    pub refused: BTreeMap<Name, String>,
}

/// Reads in a thread with a runtime of its own, because programs do it before they have one.
pub(super) fn read(prefix: &str) -> Result<Found, SecretsError> {
    let failed = |why: String| SecretsError::Aws { prefix: prefix.to_owned(), why };
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(format!("no runtime: {error}")))?;
        runtime.block_on(ask(prefix)).map_err(|error| failed(error.sentence))
    };
    let read = std::thread::scope(|scope| scope.spawn(work).join());
    let output = read.map_err(|_| failed("the program that reads them broke".to_owned()))??;
    sorted(prefix, output)
}

async fn ask(prefix: &str) -> Result<BatchGetSecretValueOutput, AwsError> {
    let aws = Aws::load(PATIENCE).await?;
    let client = Client::new(aws.sdk());
    let ids: Vec<String> = Name::ALL.iter().map(|name| id(prefix, *name)).collect();
    let until = Instant::now() + WITHIN;
    loop {
        let asked = client.batch_get_secret_value().set_secret_id_list(Some(ids.clone())).send().await;
        let error = match asked {
            Ok(output) => return Ok(output),
            Err(error) => {
                let about = About { action: ACTION, subject: &format!("{prefix}/*"), region: aws.region() };
                classify(&Facts::of(&error, true), about)
            }
        };
        if error.kind.needs_somebody() || Instant::now() + PAUSE >= until {
            return Err(error);
        }
        sleep(PAUSE).await;
    }
}

fn sorted(prefix: &str, output: BatchGetSecretValueOutput) -> Result<Found, SecretsError> {
    let mut found = Found::default();
    let named = |given: Option<&str>| {
        let given = given?;
        Name::ALL.into_iter().find(|name| {
            given == id(prefix, *name) || given.contains(&format!(":secret:{}-", id(prefix, *name)))
        })
    };
    for entry in output.secret_values.unwrap_or_default() {
        let Some(name) = named(entry.name.as_deref()) else { continue };
        let Some(text) = entry.secret_string else {
            return Err(SecretsError::Binary { name, prefix: prefix.to_owned() });
        };
        let value = SecretString::from(text);
        if !value.expose_secret().trim().is_empty() {
            found.values.insert(name, value);
        }
    }
    for error in output.errors.unwrap_or_default() {
        let code = error.error_code.unwrap_or_default();
        if let Some(name) = named(error.secret_id.as_deref())
            && !code.starts_with("ResourceNotFound")
        {
            found.refused.insert(name, code);
        }
    }
    Ok(found)
}

fn id(prefix: &str, name: Name) -> String {
    format!("{prefix}/{name}")
}
