//! What a job may use at most: model calls, tokens, time, money.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Mode, Money};

/// The bounds of one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Model calls. At least 1.
    pub steps: u32,
    /// Tokens at full rate: see [`crate::Usage::full_rate`].
    pub tokens: u64,
    /// From claim to delivery, everything included.
    pub time: Duration,
    /// None: no bound of its own; the token cap bounds it.
    pub cost: Option<Money>,
}

impl Caps {
    /// The defaults of a mode, from the owner's architecture document.
    pub fn of(mode: Mode) -> Caps {
        match mode {
            Mode::Mechanic => {
                Caps { steps: 20, tokens: 50_000, time: Duration::from_millis(60_000), cost: None }
            }
            Mode::Genius => {
                Caps { steps: 100, tokens: 200_000, time: Duration::from_millis(300_000), cost: None }
            }
        }
    }

    /// These caps with what a job says of its own put in their place.
    pub fn with(self, own: &CapsOverride) -> Caps {
        Caps {
            steps: own.step_cap.unwrap_or(self.steps),
            tokens: own.token_cap.unwrap_or(self.tokens),
            time: own.time_limit_ms.map_or(self.time, Duration::from_millis),
            cost: own.cost_cap_micros.map(Money).or(self.cost),
        }
    }
}

/// What a job says of its own caps. None: as the worker's settings, and after those the mode, have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CapsOverride {
    /// Model calls, 1 to 10,000.
    pub step_cap: Option<u32>,
    /// Tokens at full rate, 1 to 100,000,000.
    pub token_cap: Option<u64>,
    /// Milliseconds from claim to delivery, 1,000 to 86,400,000 (a day).
    pub time_limit_ms: Option<u64>,
    /// Micro-dollars, 1 or more.
    pub cost_cap_micros: Option<i64>,
}
