//! What was decided and what happened, in the order of time.

use jiff::Timestamp;
use serde::Serialize;
use store::{Decision, FleetEvent};

use super::wake::Wake;
use crate::view::number::age;
use crate::view::table::table;
use crate::view::text::one_line;

/// Characters of a sentence that are shown: AWS may be quoted in it.
const SENTENCE: usize = 300;

/// One line of the history.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The scaler changed its mind.
    Decision {
        #[serde(flatten)]
        decision: Decision,
        /// How the wake went; None: it woke nobody.
        wake: Option<Wake>,
    },
    /// Something happened to the fleet.
    Event(FleetEvent),
}

impl Entry {
    fn at(&self) -> Timestamp {
        match self {
            Entry::Decision { decision, .. } => decision.at,
            Entry::Event(event) => event.at,
        }
    }

    fn row(&self, now: Timestamp) -> Vec<String> {
        let (fleet, what, mut because) = match self {
            Entry::Decision { decision, .. } => (
                fleet(&decision.service),
                format!("{} -> {}", decision.previous, decision.target),
                one_line(&decision.reason, SENTENCE),
            ),
            Entry::Event(event) => (
                event.mode.map_or_else(|| "both".into(), |mode| mode.to_string()),
                one_line(&event.kind.replace('_', " "), 30),
                one_line(&event.message, SENTENCE),
            ),
        };
        if let Entry::Decision { wake: Some(wake), .. } = self {
            because = format!("{because}\n{}", wake.sentence());
        }
        vec![age(self.at(), now), fleet, what, because]
    }
}

/// Decisions alone.
pub fn decisions(decisions: Vec<Decision>) -> Vec<Entry> {
    let entry = |decision: Decision| Entry::Decision { wake: Wake::of(&decision), decision };
    decisions.into_iter().map(entry).collect()
}

/// Both, the newest first, at most so many. Of the same moment: first what happened later, the event that a decision led to.
pub fn merged(decided: Vec<Decision>, events: Vec<FleetEvent>, most: usize) -> Vec<Entry> {
    let mut entries: Vec<Entry> = events.into_iter().map(Entry::Event).chain(decisions(decided)).collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at()));
    entries.truncate(most);
    entries
}

/// A table of them.
pub fn list(entries: &[Entry], now: Timestamp) -> String {
    table(&["ago", "fleet", "what", "because"], &[0], entries.iter().map(|entry| entry.row(now)))
}

/// The mode of a service's workers.
fn fleet(service: &str) -> String {
    one_line(service.strip_suffix("-worker").unwrap_or(service), 30)
}

#[cfg(test)]
mod tests {
    use super::super::wake::tests::woken;
    use super::*;

    fn event(second: i64) -> FleetEvent {
        FleetEvent {
            at: Timestamp::from_second(second).unwrap(),
            kind: "leader_changed".into(),
            mode: None,
            subject: None,
            message: "a scaler leads".into(),
        }
    }

    fn entries(most: usize) -> Vec<Entry> {
        let decided = woken(40, Some(1_240), Some(32_240), Some(32_500));
        merged(vec![decided], vec![event(1_030), event(990)], most)
    }

    #[test]
    fn decisions_and_events_stand_in_the_order_of_time_and_a_wake_has_its_phases_below() {
        let text = list(&entries(10), Timestamp::from_second(1_060).unwrap());
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert!(lines[1].contains("both") && lines[1].ends_with("a scaler leads"), "{text}");
        assert!(lines[1].contains("leader changed") && lines[2].contains("mechanic  0 -> 1"), "{text}");
        assert!(lines[3].trim_start().starts_with("awake in 32s: queued, decided +40ms"), "{text}");
        assert_eq!(entries(2).len(), 2);
        assert!(matches!(entries(1)[0], Entry::Event(_)));
    }

    #[test]
    fn programs_read_the_phases_in_milliseconds() {
        let json = serde_json::to_value(entries(2)).unwrap();
        assert_eq!((&json[0]["entry"], &json[0]["kind"]), (&"event".into(), &"leader_changed".into()));
        assert_eq!((&json[1]["entry"], &json[1]["target"]), (&"decision".into(), &1.into()));
        assert_eq!(json[1]["wake"]["first_heartbeat_ms"], 31_000);
    }
}
