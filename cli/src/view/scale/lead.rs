//! Which scaler leads, in a sentence. Only scalers on AWS have a leader: one that starts processes of its own machine is alone.

use jiff::Timestamp;
use store::Leader;

use crate::view::number::age;
use crate::view::text::{one_line, short};

/// Characters of a scaler's trouble that are shown; it may quote AWS.
const TROUBLE: usize = 600;

/// How the lead stands. Each has a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lead {
    /// A leader is at work.
    Well(String),
    /// Nobody leads, because the last leader went in good order.
    Vacant(String),
    /// Nobody has ever led here.
    Never(String),
    /// The leader is missing, or cannot do its work.
    Trouble(String),
}

impl Lead {
    /// How it stands at `now`.
    pub fn of(leader: &Leader, now: Timestamp) -> Lead {
        let Some(scaler) = leader.scaler else {
            return match leader.epoch {
                0 => Lead::Never("no scaler leads here: only those on AWS need a leader".into()),
                _ => Lead::Vacant(
                    "no scaler leads: the last one went in good order, and on AWS the number of workers stays as it \
                     is until the next one starts"
                        .into(),
                ),
            };
        };
        let (scaler, since) = (short(&scaler), age(leader.since, now));
        if !leader.heard {
            return Lead::Trouble(format!(
                "scaler {scaler} leads since {since}, but is not heard of, and no other has taken its place: see its \
                 log, and start it again"
            ));
        }
        match &leader.trouble {
            None => Lead::Well(format!("scaler {scaler} leads since {since} and is heard of")),
            Some(trouble) => Lead::Trouble(format!(
                "scaler {scaler} leads and cannot do its work since {}: {}",
                age(leader.trouble_since.unwrap_or(leader.since), now),
                one_line(trouble, TROUBLE)
            )),
        }
    }

    /// The sentence.
    pub fn sentence(&self) -> &str {
        match self {
            Lead::Well(says) | Lead::Vacant(says) | Lead::Never(says) | Lead::Trouble(says) => says,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leader() -> Leader {
        Leader {
            epoch: 3,
            scaler: Some(uuid::Uuid::from_u128(0xabcd_ef01 << 96)),
            since: Timestamp::from_second(1_000).unwrap(),
            heard: true,
            trouble: None,
            trouble_since: None,
        }
    }

    fn said(leader: &Leader) -> Lead {
        Lead::of(leader, Timestamp::from_second(1_300).unwrap())
    }

    #[test]
    fn a_leader_is_named_with_its_time_and_its_trouble() {
        assert_eq!(said(&leader()), Lead::Well("scaler abcdef01 leads since 5m and is heard of".to_owned()));
        let trouble = Some("AWS refuses\n it".to_owned());
        let refused = Leader { trouble, trouble_since: Timestamp::from_second(1_290).ok(), ..leader() };
        let expected = "scaler abcdef01 leads and cannot do its work since 10s: AWS refuses it";
        assert_eq!(said(&refused), Lead::Trouble(expected.to_owned()));
    }

    #[test]
    fn a_leader_that_is_missed_is_trouble_and_one_that_went_or_never_was_is_none() {
        let missed = said(&Leader { heard: false, ..leader() });
        assert!(matches!(&missed, Lead::Trouble(says) if says.contains("not heard of")), "{missed:?}");
        assert!(matches!(said(&Leader { scaler: None, heard: false, ..leader() }), Lead::Vacant(_)));
        assert!(matches!(said(&Leader { scaler: None, epoch: 0, ..leader() }), Lead::Never(_)));
    }
}
