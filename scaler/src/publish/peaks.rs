//! The worst since figures were last published: a job that is stuck and a worker that is silent are tended within a second, and a look each
//! minute would miss them.

use std::time::Duration;

use store::{ModeObservation, Observation};

/// The worst of what was seen.
#[derive(Clone, Debug, Default)]
pub struct Peaks {
    mechanic: Peak,
    genius: Peak,
}

#[derive(Clone, Copy, Debug, Default)]
struct Peak {
    stuck: u32,
    unheard: Option<Duration>,
}

impl Peaks {
    /// This was seen, too.
    pub fn note(&mut self, seen: &Observation) {
        self.mechanic.note(&seen.mechanic);
        self.genius.note(&seen.genius);
    }

    /// What is seen now, with the worst since the last call; from here on it is counted anew.
    pub fn take(&mut self, seen: &Observation) -> Observation {
        self.note(seen);
        let mut seen = seen.clone();
        let Peaks { mechanic, genius } = std::mem::take(self);
        mechanic.put_into(&mut seen.mechanic);
        genius.put_into(&mut seen.genius);
        seen
    }
}

impl Peak {
    fn note(&mut self, seen: &ModeObservation) {
        self.stuck = self.stuck.max(seen.stuck);
        self.unheard = self.unheard.max(seen.unheard);
    }

    fn put_into(self, seen: &mut ModeObservation) {
        seen.stuck = self.stuck;
        seen.unheard = self.unheard;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_mended_between_two_publications_is_published_once() {
        let mut bad = Observation::default();
        bad.genius = ModeObservation { stuck: 2, unheard: Some(Duration::from_secs(121)), ..bad.genius };
        let good = Observation::default();
        let mut peaks = Peaks::default();
        peaks.note(&bad);
        peaks.note(&good);
        let told = peaks.take(&good).genius;
        assert_eq!((told.stuck, told.unheard), (2, Some(Duration::from_secs(121))));
        assert_eq!(peaks.take(&good), good);
    }
}
