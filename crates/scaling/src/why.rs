//! Why a fleet has the size that it has, as a sentence that a person understands.

use std::fmt;
use std::time::Duration;

use crate::Limits;
use crate::decide::Seen;

/// Why. Its text is a sentence without a full stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the sentences say it
pub enum Why {
    /// Nothing is known of the queue.
    Unseen { held: u32 },
    /// What is known of it is too old.
    Stale { held: u32, age: Duration },
    /// What was seen cannot be.
    Contradiction { held: u32, busy: u32, running: u32 },
    /// A person wants it to stay as it is.
    Paused { held: u32 },
    /// It was changed too often of late.
    TooOften { held: u32, wanted: u32 },
    /// Fewer would do, but perhaps not for long.
    CoolDown { held: u32, wanted: u32 },
    /// There is nothing to do, and nobody is kept.
    Asleep,
    /// There is nothing to do, and so many are always kept.
    Kept { min: u32 },
    /// This is what the work needs, or what the limits leave of it.
    Needed { target: u32, seen: Seen, limits: Limits },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Why::Unseen { held } => write!(f, "holding {}: the queue cannot be seen", workers(held)),
            Why::Stale { held, age } => {
                write!(f, "holding {}: what is known of the queue is {} s old", workers(held), age.as_secs())
            }
            Why::Contradiction { held, busy, running } => {
                write!(
                    f,
                    "holding {}: {} cannot be busy with {}",
                    workers(held),
                    workers(busy),
                    number(running, "job")
                )
            }
            Why::Paused { held } => write!(f, "holding {}: scaling is paused", workers(held)),
            Why::TooOften { held, wanted } => {
                write!(
                    f,
                    "holding {}: {wanted} are wanted, but it was changed too often of late",
                    workers(held)
                )
            }
            Why::CoolDown { held, wanted } => {
                write!(f, "holding {}: {wanted} would do, waiting out the cool-down", workers(held))
            }
            Why::Asleep => write!(f, "nothing is queued or running: the fleet sleeps"),
            Why::Kept { min } => write!(f, "nothing is queued or running: {} always kept", are(min)),
            Why::Needed { target, seen, limits } => needed(f, target, &seen, &limits),
        }
    }
}

fn needed(f: &mut fmt::Formatter<'_>, target: u32, seen: &Seen, limits: &Limits) -> fmt::Result {
    write!(f, "{} for {} ready and {} running", workers(target), seen.ready, seen.running)?;
    let demand = seen.demand(limits.jobs_per_worker);
    if target > limits.max {
        write!(f, "; the limit is {}, but none of them is idle", limits.max)
    } else if demand > target {
        write!(f, "; the limit is {}", limits.max)
    } else if target > demand {
        write!(f, "; at least {} while there is work", limits.floor_while_busy.max(limits.min))
    } else {
        Ok(())
    }
}

fn workers(n: u32) -> String {
    number(n, "worker")
}

fn number(n: u32, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn are(n: u32) -> String {
    format!("{} {}", workers(n), if n == 1 { "is" } else { "are" })
}
