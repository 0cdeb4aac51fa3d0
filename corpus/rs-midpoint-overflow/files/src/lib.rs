//! Looks a block up in an index by its offset.

/// The first position in `low..high` for which `is_past` holds; `high` if there is none. `is_past` is false up to some
/// position and true from there on.
pub fn bisect(low: u32, high: u32, is_past: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = (low + high) / 2;
        if is_past(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The share of `part` in `whole` in per mille, rounded down; 0 of nothing.
pub fn per_mille(part: u32, whole: u32) -> u32 {
    if whole == 0 { 0 } else { part * 1000 / whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first() {
        assert_eq!(bisect(0, 100, |n| n >= 42), 42);
        assert_eq!(bisect(0, 100, |_| false), 100);
        assert_eq!(bisect(7, 7, |_| true), 7);
    }

    #[test]
    fn also_among_large_positions() {
        assert_eq!(bisect(3_000_000_000, u32::MAX, |n| n >= 4_000_000_000), 4_000_000_000);
        assert_eq!(bisect(0, u32::MAX, |_| false), u32::MAX);
    }

    #[test]
    fn shares_of_large_numbers() {
        assert_eq!(per_mille(1, 4), 250);
        assert_eq!(per_mille(3_000_000_000, 4_000_000_000), 750);
        assert_eq!(per_mille(5, 0), 0);
    }
}
