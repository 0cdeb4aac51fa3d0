//! Why a request gets no answer. Each protocol has a form of its own for it.

use axum::http::StatusCode;

/// A status and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub status: StatusCode,
    pub message: String,
}

impl Refusal {
    /// A request that the protocol forbids, or that the script does not fit.
    pub fn invalid(message: impl Into<String>) -> Refusal {
        Refusal { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    /// Another address than those that are served.
    pub fn not_found() -> Refusal {
        let message = "a rehearsal answers POST /v1/messages, /v1/responses, /v1/chat/completions and \
                       /v1beta/models/MODEL:generateContent only";
        Refusal { status: StatusCode::NOT_FOUND, message: message.to_owned() }
    }

    /// A body that is larger than a provider takes.
    pub fn too_large() -> Refusal {
        let message = "the request is larger than 32 MB".to_owned();
        Refusal { status: StatusCode::PAYLOAD_TOO_LARGE, message }
    }
}
