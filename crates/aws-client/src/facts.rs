//! What is known of a failed call, read out of the SDK's error, so that it can be judged without the SDK.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// What is known of a failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Facts {
    /// AWS said no.
    Answer {
        /// The HTTP status.
        status: u16,
        /// AWS's name for the error.
        code: Option<String>,
        /// AWS's words.
        message: Option<String>,
    },
    /// An answer came that cannot be read.
    Garbled {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing came in time.
    TimedOut {
        /// Whether the request may have left.
        sent: bool,
    },
    /// The connection broke with the request on it.
    Cut {
        /// How.
        why: String,
    },
    /// No connection came about: nothing was sent.
    Unconnected {
        /// Why not.
        why: String,
    },
    /// Nobody gave credentials: nothing was sent.
    NoCredentials {
        /// Why not.
        why: String,
    },
    /// No request could be made of what was asked: nothing was sent.
    Unbuilt {
        /// Why not.
        why: String,
    },
}

impl Facts {
    /// Reads the SDK's `error`. `sent` is whether the request came as far as the connection, or may have.
    pub fn of<E>(error: &SdkError<E, HttpResponse>, sent: bool) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let why = root(error).to_string();
        if let Some(response) = error.raw_response() {
            let status = response.status().as_u16();
            return match error {
                // The SDK could not read what would be a success.
                _ if status < 400 => Self::Garbled { status, why },
                SdkError::ServiceError(refusal) => Self::Answer {
                    status,
                    code: refusal.err().code().map(str::to_owned),
                    message: refusal.err().message().map(str::to_owned),
                },
                // A proxy's page, say: the status tells enough.
                _ => Self::Answer { status, code: None, message: Some(why) },
            };
        }
        if cause::<CredentialsError>(error).is_some() {
            return Self::NoCredentials { why };
        }
        if cause::<hyper_util::client::legacy::Error>(error).is_some_and(|error| error.is_connect()) {
            return Self::Unconnected { why };
        }
        match error {
            SdkError::TimeoutError(_) => Self::TimedOut { sent },
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::TimedOut { sent },
            SdkError::DispatchFailure(failure) if failure.is_user() => Self::Unbuilt { why },
            SdkError::DispatchFailure(_) if sent => Self::Cut { why },
            _ => Self::Unbuilt { why },
        }
    }
}

/// Where `error` comes from. What lies between names the SDK's own parts, and sometimes quotes a whole request.
fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root
}

/// The first `T` among the causes of `error`.
fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
