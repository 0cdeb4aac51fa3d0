//! What the next model call may use, so that no cap can be passed whatever the model does with it.
//!
//! Pure. A call is allowed only if its worst case fits: all of its input uncached, all of its output used, at the dearest price.

use std::time::Duration;

use domain::{Caps, ExitReason, Money};
use tokio::time::Instant;

/// The smallest output, in tokens, with which a call is worth making: a thought and one tool call.
pub(crate) const LEAST_OUTPUT: u64 = 256;
/// One call may have this part of the job's tokens as output, but not less than [`LEAST_SHARE`]: what a lost call may have cost
/// counts at its worst, and must leave the job enough to go on with.
const OUTPUT_SHARE: u64 = 5;
const LEAST_SHARE: u64 = 4_000;
/// The least time in which anything is worth starting.
pub(crate) const LEAST_TIME: Duration = Duration::from_millis(250);
/// No command is given less than this by [`Meter::command_limit`], as long as so much is left.
const LEAST_COMMAND: Duration = Duration::from_secs(5);

/// What is used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Model calls.
    pub calls: u32,
    /// Tokens at full rate.
    pub tokens: u64,
    /// Money.
    pub cost: Money,
}

impl std::ops::Add for Spent {
    type Output = Spent;
    fn add(self, other: Spent) -> Spent {
        Spent {
            calls: self.calls.saturating_add(other.calls),
            tokens: self.tokens.saturating_add(other.tokens),
            cost: self.cost + other.cost,
        }
    }
}

/// The bounds of the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Tokens that the answer may have.
    pub max_output: u64,
    /// The most that the call can use up within them.
    pub worst_case: Spent,
}

/// The job's caps, held against what is spent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    caps: Caps,
    ends: Instant,
}

impl Meter {
    /// `reserve` of the time is kept back for the delivery.
    pub fn new(caps: Caps, started: Instant, reserve: Duration) -> Meter {
        Meter { caps, ends: started + caps.time.saturating_sub(reserve) }
    }

    /// How long the work may still go on.
    pub fn time_left(&self, now: Instant) -> Result<Duration, ExitReason> {
        let left = self.ends.saturating_duration_since(now);
        if left < LEAST_TIME { Err(ExitReason::TimeLimit) } else { Ok(left) }
    }

    /// How long one command may take: half of what is left, so that one that hangs does not end the job.
    pub fn command_limit(&self, now: Instant) -> Result<Duration, ExitReason> {
        let left = self.time_left(now)?;
        Ok((left / 2).max(LEAST_COMMAND.min(left)))
    }

    /// The bounds of a call with at most `input` tokens of input; `price` gives the worst case of (input, output).
    ///
    /// The error is the cap that leaves no room for a call with a useful answer.
    pub fn allow(
        &self,
        spent: Spent,
        input: u64,
        model_max: u64,
        price: impl Fn(u64, u64) -> Money,
    ) -> Result<Allowance, ExitReason> {
        if spent.calls >= self.caps.steps {
            return Err(ExitReason::StepCap);
        }
        let least = LEAST_OUTPUT.min(model_max);
        let left = self.caps.tokens.saturating_sub(spent.tokens).saturating_sub(input);
        if left < least {
            return Err(ExitReason::TokenCap);
        }
        let share = (self.caps.tokens / OUTPUT_SHARE).max(LEAST_SHARE);
        let mut most = left.min(model_max).min(share);
        if let Some(cap) = self.caps.cost {
            let money = cap.less(spent.cost);
            most = most_affordable(least, most, |output| price(input, output) <= money)
                .ok_or(ExitReason::CostCap)?;
        }
        let worst_case = Spent { calls: 1, tokens: input.saturating_add(most), cost: price(input, most) };
        Ok(Allowance { max_output: most, worst_case })
    }

    /// Whether the next call is likely to be the last, when the conversation has `context` tokens by now.
    ///
    /// A guess for the model's sake: nothing depends on it.
    pub fn is_nearly_out(&self, spent: Spent, context: u64) -> bool {
        let tokens_left = self.caps.tokens.saturating_sub(spent.tokens);
        self.caps.steps.saturating_sub(spent.calls) <= 1
            || tokens_left < context.saturating_add(context / 4).saturating_add(3_000)
    }
}

/// The greatest number from `least` to `most` that `fits`; what fits, fits with less too.
fn most_affordable(least: u64, most: u64, fits: impl Fn(u64) -> bool) -> Option<u64> {
    if !fits(least) {
        return None;
    }
    let (mut good, mut bad) = (least, most.saturating_add(1));
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if fits(middle) { good = middle } else { bad = middle }
    }
    Some(good)
}

#[cfg(test)]
mod tests {
    use domain::{Price, Usage};
    use proptest::prelude::*;

    use super::*;

    const PRICE: Price = Price {
        input: 1_000_000,
        cache_read: 100_000,
        cache_write_5m: 1_250_000,
        cache_write_1h: 2_000_000,
        output: 5_000_000,
    };

    fn meter(steps: u32, tokens: u64, cost: Option<i64>) -> Meter {
        let caps = Caps { steps, tokens, time: Duration::from_secs(60), cost: cost.map(Money) };
        Meter::new(caps, Instant::now(), Duration::from_secs(10))
    }

    fn allow(meter: Meter, spent: Spent, input: u64) -> Result<Allowance, ExitReason> {
        meter.allow(spent, input, 8_000, |input, output| PRICE.worst_case(input, output))
    }

    #[test]
    fn each_cap_has_its_own_reason() {
        let spent = Spent { calls: 3, tokens: 10_000, cost: Money(50_000) };
        assert_eq!(allow(meter(3, 100_000, None), spent, 1_000), Err(ExitReason::StepCap));
        assert_eq!(allow(meter(4, 11_255, None), spent, 1_000), Err(ExitReason::TokenCap));
        assert_eq!(allow(meter(4, 11_256, None), spent, 1_000).unwrap().max_output, 256);
        let dear = 50_000 + PRICE.worst_case(1_000, 256).0;
        assert_eq!(allow(meter(4, 100_000, Some(dear - 1)), spent, 1_000), Err(ExitReason::CostCap));
        assert_eq!(allow(meter(4, 100_000, Some(dear)), spent, 1_000).unwrap().max_output, 256);
        assert_eq!(allow(meter(4, 100_000, None), spent, 1_000).unwrap().max_output, 8_000);
    }

    #[test]
    fn the_delivery_keeps_its_part_of_the_time() {
        let meter = meter(1, 1, None);
        let start = meter.ends - Duration::from_secs(50);
        assert_eq!(meter.time_left(start), Ok(Duration::from_secs(50)));
        assert_eq!(meter.command_limit(start), Ok(Duration::from_secs(25)));
        assert_eq!(meter.command_limit(meter.ends - Duration::from_secs(6)), Ok(Duration::from_secs(5)));
        assert_eq!(meter.command_limit(meter.ends - Duration::from_secs(1)), Ok(Duration::from_secs(1)));
        assert_eq!(meter.time_left(meter.ends - Duration::from_millis(249)), Err(ExitReason::TimeLimit));
        assert_eq!(meter.time_left(meter.ends + Duration::from_secs(9)), Err(ExitReason::TimeLimit));
    }

    proptest! {
        #[test]
        fn an_allowed_call_fits_and_no_larger_one_would(
            tokens in 1..200_000u64, cost in 1..1_000_000i64, spent_tokens in 0..100_000u64,
            spent_cost in 0..500_000i64, input in 0..50_000u64,
        ) {
            let spent = Spent { calls: 0, tokens: spent_tokens, cost: Money(spent_cost) };
            if let Ok(allowed) = allow(meter(1, tokens, Some(cost)), spent, input) {
                let usage = Usage { cache_write_1h: input, output: allowed.max_output, ..Usage::default() };
                prop_assert!(spent_tokens + usage.full_rate() <= tokens);
                prop_assert!(spent_cost + PRICE.of(&usage).0 <= cost);
                prop_assert!(PRICE.of(&usage) <= allowed.worst_case.cost);
                let more = allowed.max_output + 1;
                prop_assert!(
                    more > 8_000.min((tokens / 5).max(4_000))
                        || spent_tokens + input + more > tokens
                        || spent_cost + PRICE.worst_case(input, more).0 > cost
                );
            }
        }
    }
}
