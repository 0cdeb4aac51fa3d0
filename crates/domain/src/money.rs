//! Money in whole micro-dollars: no floating point, no rounding that loses a customer's cent.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

use crate::Usage;

/// An amount in micro-dollars (1,000,000 are one US dollar).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(pub i64);

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);

    /// What is left of this amount after `spent`, never below zero.
    pub fn less(self, spent: Money) -> Money {
        Money(self.0.saturating_sub(spent.0).max(0))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        write!(f, "{sign}${}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        *self = *self + other;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        amounts.fold(Money::ZERO, Money::add)
    }
}

/// A model's price, in micro-dollars per million tokens of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Input that no cache answered.
    pub input: u64,
    /// Input read from the provider's cache.
    pub cache_read: u64,
    /// Input written to a cache that lives five minutes.
    pub cache_write_5m: u64,
    /// Input written to a cache that lives an hour.
    pub cache_write_1h: u64,
    /// Output, reasoning included.
    pub output: u64,
}

impl Price {
    /// What `usage` costs, rounded up to a whole micro-dollar once, at the end.
    pub fn of(&self, usage: &Usage) -> Money {
        let parts = [
            (usage.uncached, self.input),
            (usage.cache_read, self.cache_read),
            (usage.cache_write_5m, self.cache_write_5m),
            (usage.cache_write_1h, self.cache_write_1h),
            (usage.output, self.output),
        ];
        let total: u128 = parts.iter().map(|&(tokens, price)| u128::from(tokens) * u128::from(price)).sum();
        Money(i64::try_from(total.div_ceil(1_000_000)).unwrap_or(i64::MAX))
    }

    /// The most that `input` tokens in and `output` tokens out can cost, whatever the cache does.
    pub fn worst_case(&self, input: u64, output: u64) -> Money {
        let dearest = self.input.max(self.cache_write_5m).max(self.cache_write_1h).max(self.cache_read);
        let total = u128::from(input) * u128::from(dearest) + u128::from(output) * u128::from(self.output);
        Money(i64::try_from(total.div_ceil(1_000_000)).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HAIKU: Price = Price {
        input: 1_000_000,
        cache_read: 100_000,
        cache_write_5m: 1_250_000,
        cache_write_1h: 2_000_000,
        output: 5_000_000,
    };

    #[test]
    fn each_kind_of_token_has_its_own_price() {
        let usage = Usage {
            uncached: 1_000,
            cache_read: 10_000,
            cache_write_5m: 400,
            output: 200,
            ..Usage::default()
        };
        assert_eq!(HAIKU.of(&usage), Money(1_000 + 1_000 + 500 + 1_000));
    }

    #[test]
    fn a_fraction_of_a_micro_dollar_is_rounded_up_once() {
        assert_eq!(HAIKU.of(&Usage { cache_read: 1, ..Usage::default() }), Money(1));
        assert_eq!(HAIKU.of(&Usage { cache_read: 11, ..Usage::default() }), Money(2));
    }

    #[test]
    fn the_worst_case_bounds_every_split_of_the_same_tokens() {
        let worst = HAIKU.worst_case(1_000, 100);
        for uncached in [0, 500, 1_000] {
            let usage = Usage { uncached, cache_write_1h: 1_000 - uncached, output: 100, ..Usage::default() };
            assert!(HAIKU.of(&usage) <= worst);
        }
    }

    #[test]
    fn money_prints_to_the_micro_dollar() {
        assert_eq!(Money(1_234_567).to_string(), "$1.234567");
        assert_eq!(Money(-5).to_string(), "-$0.000005");
    }
}
