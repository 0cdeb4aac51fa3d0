//! The ids that start with what a person typed, as a range that an index knows.

use uuid::Uuid;

/// Hexadecimal digits of an id.
const DIGITS: usize = 32;

/// The first and the last id that start with `prefix`; dashes and case do not matter. None: it is no part of an id, or has
/// fewer than 4 characters.
pub(crate) fn ids_from(prefix: &str) -> Option<(Uuid, Uuid)> {
    let digits = prefix.replace('-', "");
    if prefix.len() < 4 || digits.is_empty() || digits.len() > DIGITS {
        return None;
    }
    // A sign would pass for a number.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let bound = |filler: &str| {
        let filled = digits.clone() + &filler.repeat(DIGITS - digits.len());
        u128::from_str_radix(&filled, 16).ok().map(Uuid::from_u128)
    };
    Some((bound("0")?, bound("f")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_the_range_of_the_ids_that_start_with_it() {
        let (first, last) = ids_from("0B5e-").unwrap();
        assert_eq!(first.to_string(), "0b5e0000-0000-0000-0000-000000000000");
        assert_eq!(last.to_string(), "0b5effff-ffff-ffff-ffff-ffffffffffff");
        let whole = "0b5e7a3c-1d2e-4f5a-8b9c-0d1e2f3a4b5c";
        assert_eq!(ids_from(whole), Some((whole.parse().unwrap(), whole.parse().unwrap())));
    }

    #[test]
    fn what_is_no_part_of_an_id_is_none() {
        for text in ["", "abc", "----", "+abc", "xyz1", "0b5é", "' or 1=1", &"a".repeat(33)] {
            assert_eq!(ids_from(text), None, "{text:?}");
        }
    }
}
