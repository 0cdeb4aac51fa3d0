//! An error as OpenAI writes it, and many servers after it: `{"error": {"message", "type", "code"}}`. Pure.

use serde_json::Value;

use crate::wire::{Cause, Complaint};

/// Codes and types that mean that the money, or a limit that does not come back soon, is used up.
const MONEY: [&str; 4] =
    ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "access_terminated"];
/// The same in words, for servers that give no code.
const MONEY_WORDS: [&str; 4] =
    ["exceeded your current quota", "billing hard limit", "credit balance", "insufficient credits"];

/// Reads the body of an error. Servers that only resemble OpenAI's may write `{"error": "words"}` or no `type`.
pub(crate) fn of(status: u16, body: &Value) -> Complaint {
    let error = &body["error"];
    let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let said = error.as_str().map_or_else(|| words(&error["message"]), str::to_owned);
    let (code, group) = (words(&error["code"]), words(&error["type"]));
    let lower = said.to_lowercase();
    let is = |names: &[&str]| names.iter().any(|name| *name == code || *name == group);
    let is_client_error = (400..500).contains(&status);
    let cause = if is(&MONEY) || (is_client_error && MONEY_WORDS.iter().any(|word| lower.contains(word))) {
        Cause::Money
    } else if is(&["invalid_api_key"]) {
        Cause::Key
    } else if is(&["context_length_exceeded", "exceed_context_size_error"])
        || (status == 400 && (lower.contains("context length") || lower.contains("context window")))
    {
        Cause::Length
    } else {
        Cause::Unknown
    };
    // Only who names the kind of its error is the provider itself.
    let kind = if code.is_empty() { group } else { code };
    Complaint { kind, said, wait: None, cause }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_spent_quota_is_told_from_a_rate_limit() {
        let quota = json!({"error": {"message": "You exceeded your current quota, please check your plan and billing details.",
                                     "type": "insufficient_quota", "param": null, "code": "insufficient_quota"}});
        let rate = json!({"error": {"message": "Rate limit reached for gpt-5.1 on tokens per min (TPM)", "type": "tokens",
                                    "param": null, "code": "rate_limit_exceeded"}});
        assert_eq!(of(429, &quota).cause, Cause::Money);
        assert_eq!(of(429, &rate).cause, Cause::Unknown);
        assert_eq!(of(429, &rate).kind, "rate_limit_exceeded");
    }

    #[test]
    fn errors_of_servers_that_resemble_openais_are_read_as_far_as_they_go() {
        let cases = [
            (
                400,
                json!({"error": {"code": 400, "message": "the request exceeds the available context size",
                                   "type": "exceed_context_size_error"}}),
                "exceed_context_size_error",
                Cause::Length,
            ),
            (
                404,
                json!({"error": {"message": "model \"x\" not found, try pulling it first", "type": "api_error"}}),
                "api_error",
                Cause::Unknown,
            ),
            (500, json!({"error": "out of memory"}), "", Cause::Unknown),
            (500, json!({"detail": "odd"}), "", Cause::Unknown),
            (
                401,
                json!({"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}),
                "invalid_api_key",
                Cause::Key,
            ),
        ];
        for (status, body, kind, cause) in cases {
            let complaint = of(status, &body);
            assert_eq!((complaint.kind.as_str(), complaint.cause), (kind, cause), "{body}");
        }
    }
}
