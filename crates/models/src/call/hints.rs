//! What a provider's headers say about the next attempt. Pure.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::HeaderMap;

/// Whether the provider says that the same request should be sent again. None: it does not say.
pub(crate) fn should_retry(headers: &HeaderMap) -> Option<bool> {
    match header(headers, "x-should-retry") {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    }
}

/// How long to wait: `retry-after-ms`, or `retry-after` in seconds or as a date.
pub(crate) fn wait(headers: &HeaderMap, now: jiff::Timestamp) -> Option<Duration> {
    let number = |name| header(headers, name)?.trim().parse::<f64>().ok();
    match number("retry-after-ms").map(|ms| ms / 1_000.0).or_else(|| number("retry-after")) {
        Some(seconds) => Some(duration(seconds)),
        None => until(header(headers, "retry-after")?, now),
    }
}

/// The time until a date, as HTTP writes it. None: it is no date.
fn until(date: &str, now: jiff::Timestamp) -> Option<Duration> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    let then = PARSER.parse_timestamp(date.trim()).ok()?;
    Some(Duration::try_from(then.duration_since(now)).unwrap_or_default())
}

/// So many seconds. Not a number that time has: too large means for ever, negative means nothing.
pub(crate) fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

/// The provider's id of the request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    header(headers, "request-id").or_else(|| header(headers, "x-request-id"))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    fn waits(pairs: &[(&'static str, &'static str)]) -> Option<Duration> {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        wait(&headers(pairs), now)
    }

    #[test]
    fn a_wait_is_read_in_each_of_its_forms() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(waits(&[("retry-after-ms", "1500")]), Some(Duration::from_millis(1_500)));
        assert_eq!(waits(&[("retry-after-ms", "1000"), ("retry-after", "9")]), seconds(1));
        assert_eq!(waits(&[("retry-after", "20")]), seconds(20));
        assert_eq!(waits(&[("retry-after", "Mon, 23 Nov 2026 10:01:30 GMT")]), seconds(90));
        assert_eq!(waits(&[("retry-after", "Mon, 23 Nov 2026 09:00:00 GMT")]), seconds(0));
        assert_eq!(waits(&[("retry-after", "soon")]), None);
        assert_eq!(waits(&[("retry-after", "-3")]), seconds(0));
        assert_eq!(waits(&[("retry-after", "1e300")]), Some(Duration::MAX));
        assert_eq!(waits(&[]), None);
    }

    #[test]
    fn only_true_and_false_are_advice() {
        assert_eq!(should_retry(&headers(&[("x-should-retry", "true")])), Some(true));
        assert_eq!(should_retry(&headers(&[("x-should-retry", "false")])), Some(false));
        assert_eq!(should_retry(&headers(&[("x-should-retry", "1")])), None);
    }
}
