//! An error in the provider's form.

use axum::http::StatusCode;
use serde_json::{Value, json};

/// Why a request gets no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub status: StatusCode,
    pub kind: &'static str,
    pub message: String,
}

impl Refusal {
    /// A request that the protocol forbids, or that the script does not fit.
    pub fn invalid(message: impl Into<String>) -> Refusal {
        Refusal { status: StatusCode::BAD_REQUEST, kind: "invalid_request_error", message: message.into() }
    }

    /// A request without a key.
    pub fn no_key() -> Refusal {
        let message = "x-api-key header is required".to_owned();
        Refusal { status: StatusCode::UNAUTHORIZED, kind: "authentication_error", message }
    }

    /// Another address than the one that is served.
    pub fn not_found() -> Refusal {
        let message = "a rehearsal answers POST /v1/messages only".to_owned();
        Refusal { status: StatusCode::NOT_FOUND, kind: "not_found_error", message }
    }

    /// A body that is larger than the provider takes.
    pub fn too_large() -> Refusal {
        let message = "the request is larger than 32 MB".to_owned();
        Refusal { status: StatusCode::PAYLOAD_TOO_LARGE, kind: "request_too_large", message }
    }

    /// The error object.
    pub fn body(&self, request_id: &str) -> Value {
        json!({"type": "error", "error": {"type": self.kind, "message": self.message}, "request_id": request_id})
    }
}
