//! How a wake went: how long the first job waited for what, from queued to claimed.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use store::Decision;

use crate::view::number::{between, span};

/// The phases of a wake in milliseconds, each since the one before it that is known. None: it has not come, or came only after the
/// job was claimed by a worker that was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Wake {
    /// From queued to decided.
    decided_ms: u64,
    /// To when whoever starts workers had taken the target.
    called_ms: Option<u64>,
    /// To the first heartbeat of a new worker.
    first_heartbeat_ms: Option<u64>,
    /// To the claim.
    claimed_ms: Option<u64>,
    /// From queued to claimed.
    total_ms: Option<u64>,
}

impl Wake {
    /// None: the decision woke nobody.
    pub fn of(decision: &Decision) -> Option<Wake> {
        let queued = decision.queued_at?;
        let in_time =
            |at: Option<Timestamp>| at.filter(|at| decision.claimed_at.is_none_or(|claimed| *at <= claimed));
        let mut last = queued;
        let mut phase = |at: Timestamp| {
            let took = millis(between(last, at));
            last = last.max(at);
            took
        };
        Some(Wake {
            decided_ms: phase(decision.at),
            called_ms: in_time(decision.called_at).map(&mut phase),
            first_heartbeat_ms: in_time(decision.first_heartbeat_at).map(&mut phase),
            claimed_ms: decision.claimed_at.map(&mut phase),
            total_ms: decision.claimed_at.map(|claimed| millis(between(queued, claimed))),
        })
    }

    /// In words.
    pub fn sentence(&self) -> String {
        let shown = |ms: u64| span(Duration::from_millis(ms));
        let phases = [
            (Some(self.decided_ms), "decided"),
            (self.called_ms, "called"),
            (self.first_heartbeat_ms, "first heartbeat"),
            (self.claimed_ms, "claimed"),
        ];
        let phases: Vec<String> =
            phases.iter().filter_map(|(ms, name)| Some(format!("{name} +{}", shown((*ms)?)))).collect();
        let phases = phases.join(", ");
        match self.total_ms {
            None => format!("queued, {phases}; its job was not claimed so far"),
            Some(total) if self.first_heartbeat_ms.is_none() => {
                format!("awake in {}: queued, {phases} by a worker that was there", shown(total))
            }
            Some(total) => format!("awake in {}: queued, {phases}", shown(total)),
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A wake whose phases came so many milliseconds after its job was queued.
    pub fn woken(
        decided: i64,
        called: Option<i64>,
        heartbeat: Option<i64>,
        claimed: Option<i64>,
    ) -> Decision {
        let at = |ms: i64| Timestamp::from_millisecond(1_000_000 + ms).unwrap();
        Decision {
            at: at(decided),
            service: "mechanic-worker".into(),
            previous: 0,
            target: 1,
            reason: "1 worker for 1 ready and 0 running".into(),
            job: None,
            queued_at: Some(at(0)),
            called_at: called.map(at),
            first_heartbeat_at: heartbeat.map(at),
            claimed_at: claimed.map(at),
        }
    }

    fn said(decision: &Decision) -> String {
        Wake::of(decision).unwrap().sentence()
    }

    #[test]
    fn phases_are_told_one_after_the_other_and_add_up() {
        let wake = woken(40, Some(1_240), Some(32_240), Some(32_500));
        assert_eq!(
            said(&wake),
            "awake in 32s: queued, decided +40ms, called +1.2s, first heartbeat +31s, claimed +260ms"
        );
        let Wake { decided_ms, called_ms, first_heartbeat_ms, claimed_ms, total_ms } =
            Wake::of(&wake).unwrap();
        let sum = decided_ms + called_ms.unwrap() + first_heartbeat_ms.unwrap() + claimed_ms.unwrap();
        assert_eq!(Some(sum), total_ms);
    }

    #[test]
    fn what_has_not_come_is_left_out() {
        let wake = woken(40, Some(140), None, None);
        assert_eq!(said(&wake), "queued, decided +40ms, called +100ms; its job was not claimed so far");
        assert_eq!(Wake::of(&Decision { queued_at: None, ..wake }), None);
    }

    #[test]
    fn a_job_that_an_old_worker_took_says_so() {
        let wake = woken(40, Some(1_000), Some(5_000), Some(500));
        assert_eq!(
            said(&wake),
            "awake in 500ms: queued, decided +40ms, claimed +460ms by a worker that was there"
        );
    }
}
