//! What each kind of fact becomes, without any connection.

use crate::{About, AwsError, Facts, Kind, classify};

const ABOUT: About<'_> = About {
    action: "application-autoscaling:RegisterScalableTarget",
    subject: "service/team/mechanic-worker",
    region: "eu-central-1",
};

fn refused(status: u16, code: &str, message: &str) -> AwsError {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    classify(&Facts::Answer { status, code: some(code), message: some(message) }, ABOUT)
}

#[test]
fn aws_codes_have_their_kinds_with_and_without_their_ending() {
    for (status, code, kind) in [
        (400, "ConcurrentUpdateException", Kind::Conflict),
        (400, "Throttling", Kind::Throttled),
        (400, "ThrottlingException", Kind::Throttled),
        (429, "", Kind::Throttled),
        (400, "ThrottledException", Kind::Throttled),
        (400, "TooManyRequestsException", Kind::Throttled),
        (500, "InternalServiceException", Kind::Server),
        (400, "InternalServiceException", Kind::Server),
        (503, "", Kind::Server),
        (400, "AccessDeniedException", Kind::Denied),
        (403, "AccessDenied", Kind::Denied),
        (403, "", Kind::Denied),
        (400, "ExpiredTokenException", Kind::Credentials),
        (403, "InvalidClientTokenId", Kind::Credentials),
        (400, "UnrecognizedClientException", Kind::Credentials),
        (403, "SignatureDoesNotMatch", Kind::Credentials),
        (400, "ObjectNotFoundException", Kind::Missing),
        (400, "LimitExceededException", Kind::Limit),
        (400, "ValidationException", Kind::Invalid),
        (404, "", Kind::Invalid),
    ] {
        let error = refused(status, code, "");
        assert_eq!(error.kind, kind, "{status} {code}");
        assert_eq!(error.in_doubt, kind == Kind::Server, "{status} {code}");
    }
}

#[test]
fn what_passes_by_itself_is_told_from_what_needs_somebody() {
    use Kind::*;
    assert!(
        [Conflict, Throttled, Server, TimedOut, Unreachable, Malformed].iter().all(|it| !it.needs_somebody())
    );
    assert!([Denied, Missing, Invalid, Limit, Credentials, Settings].iter().all(|it| it.needs_somebody()));
}

#[test]
fn a_missing_service_is_known_by_the_words_of_a_validation_error() {
    let message = "ECS service doesn't exist: service/team/mechanic-worker";
    let error = refused(400, "ValidationException", message);
    assert_eq!(error.kind, Kind::Missing);
    assert_eq!(
        error.to_string(),
        "service/team/mechanic-worker does not exist in region eu-central-1: create it, or correct the names of the \
         cluster and the services or AWS_REGION (ValidationException: ECS service doesn't exist: \
         service/team/mechanic-worker)"
    );
}

#[test]
fn the_action_that_is_needed_is_the_one_that_iam_names() {
    let other =
        "User: arn:aws:sts::1:x is not authorized to perform: iam:CreateServiceLinkedRole on resource: y";
    let error = refused(400, "AccessDeniedException", other).to_string();
    assert!(
        error.starts_with("AWS refuses iam:CreateServiceLinkedRole for service/team/mechanic-worker"),
        "{error}"
    );
    let silent = refused(403, "AccessDenied", "no").to_string();
    assert!(silent.starts_with("AWS refuses application-autoscaling:RegisterScalableTarget for"), "{silent}");
}

#[test]
fn only_what_may_have_arrived_is_in_doubt() {
    let why = || "because".to_owned();
    for (facts, kind, in_doubt) in [
        (Facts::TimedOut { sent: true }, Kind::TimedOut, true),
        (Facts::TimedOut { sent: false }, Kind::TimedOut, false),
        (Facts::Cut { why: why() }, Kind::Unreachable, true),
        (Facts::Unconnected { why: why() }, Kind::Unreachable, false),
        (Facts::Garbled { status: 200, why: why() }, Kind::Malformed, true),
        (Facts::NoCredentials { why: why() }, Kind::Credentials, false),
        (Facts::Unbuilt { why: why() }, Kind::Settings, false),
    ] {
        let error = classify(&facts, ABOUT);
        assert_eq!((error.kind, error.in_doubt), (kind, in_doubt), "{error}");
    }
}

#[test]
fn a_sentence_is_one_line_and_has_an_end() {
    let error = refused(400, "ValidationException", &"word\n".repeat(1_000)).to_string();
    assert!(error.len() < 500 && !error.contains('\n') && error.ends_with("...)"), "{error}");
}
