//! The last look before a change leaves this process: may it still make changes?
//!
//! The permit's end lies on the monotonic clock, which goes on while a process is stopped. So one that is continued
//! after a minute finds its permit lapsed here and sends nothing. What is left is a request that is on its way to a
//! new connection when the process is stopped: the drift check of the next leader mends that.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use aws_sdk_applicationautoscaling::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_applicationautoscaling::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_applicationautoscaling::error::BoxError;
use aws_smithy_async::time::SharedTimeSource;
use tokio::sync::watch;
use tokio::time::Instant;

/// Until when this process may make changes. None: it does not lead.
pub type Permit = watch::Receiver<Option<Instant>>;

/// One request's way out, as the SDK's interceptor: it remembers when the request was handed to the connection, and
/// lets it pass only while the permit lasts.
#[derive(Clone, Debug)]
pub struct Gate {
    /// None: no permit is needed, because nothing is changed.
    permit: Option<Permit>,
    time: SharedTimeSource,
    passed: Arc<OnceLock<SystemTime>>,
    shut: Arc<OnceLock<()>>,
}

/// The permit ended on the way.
#[derive(Debug, thiserror::Error)]
#[error("this process may not change capacity any more")]
struct Lapsed;

impl Gate {
    /// For a request that changes something.
    pub fn with_permit(permit: Permit, time: SharedTimeSource) -> Self {
        Self { permit: Some(permit), ..Self::open(time) }
    }

    /// For a request that changes no capacity.
    pub fn open(time: SharedTimeSource) -> Self {
        Self { permit: None, time, passed: Arc::default(), shut: Arc::default() }
    }

    /// When the request was handed to the connection; None: never.
    pub fn passed_at(&self) -> Option<SystemTime> {
        self.passed.get().copied()
    }

    /// Whether the request was kept back.
    pub fn kept_back(&self) -> bool {
        self.shut.get().is_some()
    }
}

impl Intercept for Gate {
    fn name(&self) -> &'static str {
        "Gate"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let lasts = |permit: &Permit| permit.borrow().is_some_and(|end| Instant::now() < end);
        if self.permit.as_ref().is_some_and(|permit| !lasts(permit)) {
            _ = self.shut.set(());
            return Err(Lapsed.into());
        }
        _ = self.passed.set(self.time.now());
        Ok(())
    }
}
