//! How AWS is talked to: the SDK's own chain of settings (AWS_REGION, AWS_ENDPOINT_URL, credentials from the
//! environment, a profile, ECS or the machine), explicit time-outs, and no retries of the SDK's.
//!
//! TLS is rustls with *ring*, as everywhere in the house, and trusts the system's root certificates.

use std::time::{Duration, SystemTime};

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::{AwsError, Kind};

/// How long is waited for what.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection with its TLS.
    pub connect: Duration,
    /// For the first byte of an answer.
    pub read: Duration,
    /// For credentials, where they have to be fetched. Less than `operation`, so that their want is told as such.
    pub credentials: Duration,
    /// For one whole call, credentials included.
    pub operation: Duration,
}

/// The settings that all clients share, with one pool of connections.
#[derive(Clone, Debug)]
pub struct Aws {
    sdk: SdkConfig,
    region: String,
    time: SharedTimeSource,
    patience: Patience,
}

impl Aws {
    /// Reads the settings. Credentials are looked for with the first call.
    ///
    /// Without a region in environment or profile the machine's metadata service is asked for one, which takes some
    /// seconds where there is none.
    ///
    /// # Errors
    ///
    /// When there is no region.
    pub async fn load(patience: Patience) -> Result<Self, AwsError> {
        Self::load_with(aws_config::defaults(BehaviorVersion::v2026_01_12()), patience).await
    }

    /// The same from other settings than those of the process.
    ///
    /// # Errors
    ///
    /// When there is no region.
    pub async fn load_with(loader: ConfigLoader, patience: Patience) -> Result<Self, AwsError> {
        let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let sdk = loader
            .http_client(http)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(patience))
            .identity_cache(IdentityCache::lazy().load_timeout(patience.credentials).build())
            // The few kilobytes of a minute's metrics are not worth a compressor.
            .disable_request_compression(true)
            .load()
            .await;
        let Some(region) = sdk.region().map(ToString::to_string).filter(|region| !region.is_empty()) else {
            return Err(AwsError {
                kind: Kind::Settings,
                sentence: "it is not said in which AWS region to ask: set AWS_REGION".to_owned(),
                in_doubt: false,
            });
        };
        let time = sdk.time_source().unwrap_or_default();
        Ok(Self { sdk, region, time, patience })
    }

    /// The same settings with other time-outs.
    pub fn with_patience(&self, patience: Patience) -> Self {
        let sdk = self.sdk.to_builder().timeout_config(timeouts(patience)).build();
        Self { sdk, patience, ..self.clone() }
    }

    /// The wall clock's time.
    pub fn now(&self) -> SystemTime {
        self.time.now()
    }

    /// The region that is asked.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// How long is waited for what.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// The settings as the SDK's clients take them.
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// The wall clock by which requests are signed and reports are dated.
    pub fn time(&self) -> &SharedTimeSource {
        &self.time
    }
}

fn timeouts(patience: Patience) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(patience.connect)
        .read_timeout(patience.read)
        // Credentials are fetched within an attempt too, so it is bounded as the one call that it is part of.
        .operation_attempt_timeout(patience.operation)
        .operation_timeout(patience.operation)
        .build()
}
