//! Which version is newer.

use std::cmp::Ordering;

/// Compares two versions such as `1.10.0` or `2.0.0-rc.1`: numbers by value, missing ones are 0, and a
/// pre-release comes before its release. Identifiers of pre-releases: numbers by value and before words, words by
/// letters, and of two that begin alike the shorter comes first.
pub fn compare(a: &str, b: &str) -> Ordering {
    a.cmp(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_rising(versions: &[&str]) {
        for pair in versions.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
    }

    #[test]
    fn numbers_go_by_value() {
        assert_rising(&["1.2.3", "1.9.0", "1.10.0", "2.0.0", "10.0.0"]);
    }

    #[test]
    fn what_is_missing_is_zero() {
        assert_eq!(compare("1.2", "1.2.0"), Ordering::Equal);
        assert_rising(&["1", "1.0.1", "1.1"]);
    }

    #[test]
    fn pre_releases_come_before_their_release() {
        assert_rising(&["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"]);
    }
}
