//! Token counts, normalised so that no token is counted in two kinds.
//!
//! The counts come from strangers, so sums stop at the largest number instead of wrapping round to a small one.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// The tokens of one or more model calls. The first five kinds are disjoint; `reasoning` is a part of `output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Input that no cache answered and none stored.
    pub uncached: u64,
    /// Input read from the provider's cache.
    pub cache_read: u64,
    /// Input written to a cache that lives five minutes.
    pub cache_write_5m: u64,
    /// Input written to a cache that lives an hour.
    pub cache_write_1h: u64,
    /// Output, reasoning included.
    pub output: u64,
    /// The part of `output` that was reasoning, where the provider says so. For information.
    pub reasoning: u64,
}

impl Usage {
    /// What counts against a token cap: everything but cached reads.
    pub fn full_rate(&self) -> u64 {
        [self.cache_write_5m, self.cache_write_1h, self.output]
            .into_iter()
            .fold(self.uncached, u64::saturating_add)
    }

    /// All input, cached or not: the size of the context that was sent.
    pub fn input(&self) -> u64 {
        [self.cache_read, self.cache_write_5m, self.cache_write_1h]
            .into_iter()
            .fold(self.uncached, u64::saturating_add)
    }
}

impl Add for Usage {
    type Output = Usage;
    fn add(self, other: Usage) -> Usage {
        Usage {
            uncached: self.uncached.saturating_add(other.uncached),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write_5m: self.cache_write_5m.saturating_add(other.cache_write_5m),
            cache_write_1h: self.cache_write_1h.saturating_add(other.cache_write_1h),
            output: self.output.saturating_add(other.output),
            reasoning: self.reasoning.saturating_add(other.reasoning),
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Usage) {
        *self = *self + other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_absurd_counts_stop_at_the_largest_number() {
        let all = u64::MAX;
        let absurd = Usage {
            uncached: all,
            cache_read: all,
            cache_write_5m: all,
            cache_write_1h: all,
            output: all,
            reasoning: all,
        };
        assert_eq!(absurd + absurd, absurd);
        assert_eq!((absurd.full_rate(), absurd.input()), (all, all));
    }
}
