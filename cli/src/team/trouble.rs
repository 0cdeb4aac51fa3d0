//! What goes wrong with a team while it is up, and when there is no hope left.

use serde::Deserialize;

/// A scaler that died this often in a row, each time soon after its start, will not come up.
const DEATHS: u32 = 4;
/// When so many workers in a row ended as soon as they were started, no other will do better.
const STILLBORN: u32 = 3;

/// Something that went wrong though nobody asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The scaler ended.
    ScalerDied {
        /// What happened, and what is done about it.
        message: String,
        /// Deaths in a row, each soon after its start.
        in_a_row: u32,
    },
    /// The scaler tells of its workers.
    Fleet {
        /// What happened.
        message: String,
        /// Workers in a row that ended as soon as they were started, while no other was at work.
        stillborn: u32,
    },
}

impl Trouble {
    /// What a line of the scaler's standard output tells. None: it is about something else.
    pub fn of_fleet(line: &str) -> Option<Trouble> {
        #[derive(Deserialize)]
        struct Line {
            mishap: String,
            stillborn: u32,
        }
        let Line { mishap, stillborn } = serde_json::from_str(line).ok()?;
        Some(Trouble::Fleet { message: mishap, stillborn })
    }

    /// The sentence for a person.
    pub fn message(&self) -> &str {
        match self {
            Trouble::ScalerDied { message, .. } | Trouble::Fleet { message, .. } => message,
        }
    }

    /// Whether nobody will work on a job, however long it waits.
    pub fn is_hopeless(&self) -> bool {
        match self {
            Trouble::ScalerDied { in_a_row, .. } => *in_a_row >= DEATHS,
            Trouble::Fleet { stillborn, .. } => *stillborn >= STILLBORN,
        }
    }
}
