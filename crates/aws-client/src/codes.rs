//! AWS's own names for what goes wrong, as its errors carry them. Pure.

use crate::Kind;

/// What kind of failure an answer is. Codes come with and without `Exception`, by protocol and service.
pub fn kind_of(status: u16, code: &str, message: &str) -> Kind {
    match code.strip_suffix("Exception").unwrap_or(code) {
        "ConcurrentUpdate" | "ConcurrentModification" => Kind::Conflict,
        "Throttling"
        | "ThrottlingError"
        | "ThrottledException"
        | "Throttled"
        | "TooManyRequests"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "SlowDown"
        | "BandwidthLimitExceeded"
        | "PriorRequestNotComplete" => Kind::Throttled,
        "AccessDenied"
        | "UnauthorizedOperation"
        | "AuthorizationError"
        | "NotAuthorized"
        | "FailedResourceAccess" => Kind::Denied,
        "ExpiredToken"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClient"
        | "InvalidSignature"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenError"
        | "IncompleteSignature"
        | "InvalidAccessKeyId"
        | "InvalidToken" => Kind::Credentials,
        "ObjectNotFound" | "ClusterNotFound" | "ServiceNotFound" | "ResourceNotFound" => Kind::Missing,
        "LimitExceeded" => Kind::Limit,
        "InternalService"
        | "InternalServiceFault"
        | "InternalServerError"
        | "InternalFailure"
        | "ServiceUnavailable" => Kind::Server,
        _ if is_missing(message) => Kind::Missing,
        _ if status == 429 => Kind::Throttled,
        _ if status >= 500 => Kind::Server,
        _ if status == 403 || status == 401 => Kind::Denied,
        _ => Kind::Invalid,
    }
}

/// Application Auto Scaling tells of a missing service as of a wrong argument, in words.
fn is_missing(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["ecs service doesn't exist", "ecs cluster doesn't exist", "cluster not found", "service not found"]
        .iter()
        .any(|words| message.contains(words))
}

/// The action in IAM's "... is not authorized to perform: ecs:UpdateService on resource ...".
pub fn denied_action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    rest.split_whitespace()
        .next()
        .map(|action| action.trim_end_matches(['.', ',']))
        .filter(|it| it.contains(':'))
}
