//! Token counts, normalised so that no token is counted in two kinds.

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
        self.uncached + self.cache_write_5m + self.cache_write_1h + self.output
    }

    /// All input, cached or not: the size of the context that was sent.
    pub fn input(&self) -> u64 {
        self.uncached + self.cache_read + self.cache_write_5m + self.cache_write_1h
    }
}

impl Add for Usage {
    type Output = Usage;
    fn add(self, other: Usage) -> Usage {
        Usage {
            uncached: self.uncached + other.uncached,
            cache_read: self.cache_read + other.cache_read,
            cache_write_5m: self.cache_write_5m + other.cache_write_5m,
            cache_write_1h: self.cache_write_1h + other.cache_write_1h,
            output: self.output + other.output,
            reasoning: self.reasoning + other.reasoning,
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Usage) {
        *self = *self + other;
    }
}
