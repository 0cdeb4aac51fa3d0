//! An error as Google writes it: a status in words, and details with types of their own. Pure.
//!
//! The words of a plain rate limit also speak of a quota and of billing, so they prove nothing: the details do.

use serde_json::Value;

use crate::call::hints;
use crate::wire::{Cause, Complaint};

/// Words of a 429 that no waiting mends.
const MONEY: [&str; 4] = ["credits are depleted", "prepayment", "spending cap", "spend cap"];

/// Reads the body of an error, which may stand in a list.
pub(super) fn of(status: u16, body: &Value) -> Complaint {
    let error = &body.get(0).unwrap_or(body)["error"];
    let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, said) = (words(&error["status"]), words(&error["message"]));
    let details = error["details"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of_type = |name: &'static str| {
        details.iter().filter(move |detail| detail["@type"].as_str().is_some_and(|kind| kind.ends_with(name)))
    };
    let wait = of_type("RetryInfo").find_map(|info| seconds(info["retryDelay"].as_str()?));
    let reasons: Vec<&str> = of_type("ErrorInfo").filter_map(|info| info["reason"].as_str()).collect();
    let violations = of_type("QuotaFailure").filter_map(|failure| failure["violations"].as_array()).flatten();
    let is_daily = violations
        .filter_map(|violation| violation["quotaId"].as_str())
        .any(|quota| quota.contains("PerDay"));
    let lower = said.to_lowercase();
    let is_spent = status == 429 && (is_daily || MONEY.iter().any(|word| lower.contains(word)));
    let cause = if is_spent || reasons.contains(&"BILLING_DISABLED") {
        Cause::Money
    } else if reasons.contains(&"API_KEY_INVALID") || reasons.contains(&"API_KEY_EXPIRED") {
        Cause::Key
    } else if status == 400 && lower.contains("token count") && lower.contains("exceeds") {
        Cause::Length
    } else {
        Cause::Unknown
    };
    Complaint { kind, said, wait, cause }
}

/// A duration as Google writes it in JSON: `34.074824224s`.
fn seconds(text: &str) -> Option<std::time::Duration> {
    Some(hints::duration(text.strip_suffix('s')?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn quota(id: &str, more: Value) -> Value {
        json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED",
        "message": "You exceeded your current quota, please check your plan and billing details.",
        "details": [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": id}]},
            more,
        ]}})
    }

    #[test]
    fn a_limit_per_minute_says_how_long_to_wait_and_one_per_day_is_spent() {
        let retry = json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"});
        let minute = of(429, &quota("GenerateRequestsPerMinutePerProjectPerModel", retry.clone()));
        assert_eq!((minute.cause, minute.wait), (Cause::Unknown, Some(Duration::from_millis(34_500))));
        assert_eq!(minute.kind, "RESOURCE_EXHAUSTED");
        let day = of(429, &quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", retry));
        assert_eq!(day.cause, Cause::Money);
    }

    #[test]
    fn causes_are_read_from_the_details() {
        let with = |reason: &str| {
            json!([{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "API key not valid.",
                "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]}}])
        };
        assert_eq!(of(400, &with("API_KEY_INVALID")).cause, Cause::Key);
        assert_eq!(of(403, &with("BILLING_DISABLED")).cause, Cause::Money);
        let depleted = json!({"error": {"message": "Your prepayment credits are depleted."}});
        assert_eq!(of(429, &depleted).cause, Cause::Money);
        let long = json!({"error": {"message": "The input token count (2000000) exceeds the maximum number of tokens allowed"}});
        assert_eq!(of(400, &long).cause, Cause::Length);
        assert_eq!(of(503, &json!("<html>")).kind, "");
    }
}
