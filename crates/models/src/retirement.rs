//! Which models are about to answer no more, for people to hear of in time. Pure.

use domain::Mode;
use jiff::civil::Date;

use crate::catalogue::{self, LookupError, ModelInfo};

/// So many days before a model's retirement people are warned.
pub const WARN_DAYS: i32 = 60;

/// A model of a mode's list that is retired, or soon will be.
#[derive(Clone, Debug, PartialEq)]
pub struct Retirement {
    /// What is known of it.
    pub info: &'static ModelInfo,
    /// Days until then; zero or less: it is retired.
    pub days: i32,
}

impl std::fmt::Display for Retirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Retirement { info, days } = self;
        let date = info.retires.map(|date| date.to_string()).unwrap_or_default();
        match days {
            ..=0 => write!(f, "{} answers no more since {date}", info.name)?,
            1 => write!(f, "{} answers no more from {date} on, in 1 day", info.name)?,
            _ => write!(f, "{} answers no more from {date} on, in {days} days", info.name)?,
        }
        match (&info.successor, days) {
            (Some(successor), ..=0) => write!(f, ": {successor} is asked in its place"),
            (Some(successor), _) => write!(f, ": then {successor} is asked"),
            (None, _) => write!(f, ": no successor is known, name another model"),
        }
    }
}

/// The models of `mode`'s list that are retired by `today` or will be within [`WARN_DAYS`].
pub fn coming(mode: Mode, today: Date) -> Result<Vec<Retirement>, LookupError> {
    let mut coming = Vec::new();
    for name in catalogue::preferred(mode)? {
        let info = catalogue::find(name)?;
        let Some(retires) = info.retires else { continue };
        let days = (retires - today).get_days();
        if days <= WARN_DAYS {
            coming.push(Retirement { info, days });
        }
    }
    Ok(coming)
}
