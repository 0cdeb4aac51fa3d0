//! One mode's queue and workers, what was decided for them last, and what holds.

use std::time::Duration;

use domain::Mode;
use jiff::Timestamp;
use serde::Serialize;
use store::{Decision, ModeObservation, Pause};

use super::bounds::Bounds;
use crate::view::number::{age, span};
use crate::view::text::one_line;

/// Queued jobs of each kind are counted so far.
const COUNTED: u32 = 1_000;

/// A fleet as it stands.
#[derive(Clone, Debug, Serialize)]
pub struct Fleet {
    mode: Mode,
    queue: Queue,
    workers: Workers,
    /// The last change of its target. None: none is remembered.
    decision: Option<Decision>,
    limits: Bounds,
    /// A person lets its jobs wait. None: they go.
    pause: Option<Pause>,
}

/// Jobs. Those that are queued are counted up to 1,000 of each kind.
#[derive(Clone, Debug, Serialize)]
struct Queue {
    ready: u32,
    oldest_ready_ms: Option<u64>,
    running: u32,
    /// Running jobs that have used up the time that a job may take.
    stuck: u32,
    waiting: Waiting,
}

/// Queued jobs that wait, by reason.
#[derive(Clone, Debug, Serialize)]
struct Waiting {
    pause: u32,
    time: u32,
    jobs: u32,
    group: u32,
    budget: u32,
}

/// Workers that are there; `lost` ones, silent for two minutes, are among them.
#[derive(Clone, Debug, Serialize)]
struct Workers {
    there: u32,
    busy: u32,
    lost: u32,
}

impl Fleet {
    /// Puts together what is known of the fleet that `limits` are of.
    pub fn new(
        seen: &ModeObservation,
        limits: Bounds,
        decision: Option<Decision>,
        pause: Option<Pause>,
    ) -> Fleet {
        Fleet {
            mode: limits.mode(),
            queue: Queue {
                ready: seen.ready,
                oldest_ready_ms: seen.oldest_ready.map(millis),
                running: seen.running,
                stuck: seen.stuck,
                waiting: Waiting {
                    pause: seen.paused,
                    time: seen.for_time,
                    jobs: seen.for_jobs,
                    group: seen.for_group,
                    budget: seen.for_budget,
                },
            },
            workers: Workers { there: seen.workers, busy: seen.busy, lost: seen.lost },
            decision,
            limits,
            pause,
        }
    }

    /// A paragraph about it.
    pub fn lines(&self, now: Timestamp) -> Vec<String> {
        let mode = self.mode;
        let mut lines = vec![
            mode.to_string(),
            line("queue", &self.queue.sentence()),
            line("workers", &self.workers.sentence()),
            line("target", &self.target(now)),
            line("limits", &self.limits.limits()),
        ];
        if let Some(paused) = self.limits.paused(now) {
            lines.push(line("scaling", &format!("{paused}; `codeteam scale resume {mode}` ends that")));
        }
        if let Some(Pause { since, reason, .. }) = &self.pause {
            let reason = one_line(reason, 200);
            let because = if reason.is_empty() { reason } else { format!(": {reason}") };
            let says =
                format!("paused since {}{because}; `codeteam resume {mode}` ends that", age(*since, now));
            lines.push(line("jobs", &says));
        }
        lines
    }

    fn target(&self, now: Timestamp) -> String {
        match &self.decision {
            None => "none was decided lately".into(),
            Some(decision) => {
                format!(
                    "{} since {}: {}",
                    decision.target,
                    age(decision.at, now),
                    one_line(&decision.reason, 200)
                )
            }
        }
    }
}

impl Queue {
    fn sentence(&self) -> String {
        let Queue { ready, oldest_ready_ms, running, stuck, ref waiting } = *self;
        let oldest = match oldest_ready_ms {
            Some(ms) if ready > 0 => format!(" (the oldest for {})", shown(ms)),
            _ => String::new(),
        };
        let stuck = if stuck > 0 { format!(" ({stuck} for too long)") } else { String::new() };
        let kinds = [
            (waiting.pause, "for the end of a pause"),
            (waiting.time, "for their time"),
            (waiting.jobs, "for other jobs"),
            (waiting.group, "for room in their group"),
            (waiting.budget, "for a budget"),
        ];
        let kinds: Vec<String> =
            kinds.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", count(*n))).collect();
        let waiting =
            if kinds.is_empty() { String::new() } else { format!("; waiting: {}", kinds.join(", ")) };
        format!("{} ready{oldest}, {running} running{stuck}{waiting}", count(ready))
    }
}

impl Workers {
    fn sentence(&self) -> String {
        let Workers { there, busy, lost } = *self;
        match (there, lost) {
            (0, _) => "none".into(),
            (_, 0) => format!("{there} there, {busy} busy"),
            _ => format!("{there} there, {busy} busy, {lost} lost: silent for two minutes"),
        }
    }
}

fn line(name: &str, says: &str) -> String {
    format!("  {name:<8} {says}")
}

fn count(n: u32) -> String {
    if n < COUNTED { n.to_string() } else { format!("{COUNTED} or more") }
}

fn shown(ms: u64) -> String {
    span(Duration::from_millis(ms))
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::bounds::tests::limits;
    use super::super::wake::tests::woken;
    use super::*;
    use store::LimitsInForce;

    fn fleet(seen: &ModeObservation) -> Fleet {
        Fleet::new(seen, Bounds(limits()), None, None)
    }

    #[test]
    fn a_fleet_that_sleeps_is_told_in_five_lines() {
        let lines = fleet(&ModeObservation::default()).lines(Timestamp::UNIX_EPOCH);
        assert_eq!(
            lines[..4],
            [
                "mechanic",
                "  queue    0 ready, 0 running",
                "  workers  none",
                "  target   none was decided lately"
            ]
        );
        assert!(lines.len() == 5 && lines[4].starts_with("  limits   0 to 10 workers"), "{lines:?}");
    }

    #[test]
    fn jobs_that_wait_are_told_by_reason_and_long_queues_are_not_counted_to_their_end() {
        let seen = ModeObservation {
            ready: 1_000,
            oldest_ready: Some(Duration::from_secs(12)),
            running: 3,
            stuck: 1,
            for_time: 2,
            for_budget: 4,
            workers: 3,
            busy: 2,
            lost: 1,
            ..ModeObservation::default()
        };
        let lines = fleet(&seen).lines(Timestamp::UNIX_EPOCH);
        assert_eq!(
            lines[1],
            "  queue    1000 or more ready (the oldest for 12s), 3 running (1 for too long); waiting: 2 for their time, 4 for \
             a budget"
        );
        assert_eq!(lines[2], "  workers  3 there, 2 busy, 1 lost: silent for two minutes");
    }

    #[test]
    fn the_last_target_has_its_sentence_and_both_kinds_of_pause_say_how_to_end_them() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let limits = LimitsInForce { paused_at: Some(at(1_000)), ..limits() };
        let pause = Pause { mode: Mode::Mechanic, since: at(1_000), reason: "a move".into() };
        let bounds = Bounds(limits);
        let fleet =
            Fleet::new(&ModeObservation::default(), bounds, Some(woken(0, None, None, None)), Some(pause));
        let lines = fleet.lines(at(1_060));
        assert_eq!(lines[3], "  target   1 since 1m: 1 worker for 1 ready and 0 running");
        assert_eq!(lines[5], "  scaling  paused since 1m; `codeteam scale resume mechanic` ends that");
        assert_eq!(lines[6], "  jobs     paused since 1m: a move; `codeteam resume mechanic` ends that");
    }
}
