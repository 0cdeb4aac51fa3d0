//! Several scripts at once: what a job is asked to do says which of them it gets.

use crate::refusal::Refusal;
use crate::script::Script;

/// Scripts, each with its cue.
#[derive(Clone, Debug, Default)]
pub struct Repertoire(Vec<(String, Script)>);

impl Repertoire {
    /// Nothing yet.
    pub fn new() -> Repertoire {
        Repertoire::default()
    }

    /// With `script` for every conversation whose first words hold `cue`, such as a job's prompt. Of several that fit, the one
    /// with the longest cue is played.
    #[must_use]
    pub fn with(mut self, cue: impl Into<String>, script: Script) -> Repertoire {
        self.0.push((cue.into(), script));
        self
    }

    /// The script for a conversation that begins with `opening`.
    pub(crate) fn find(&self, opening: &str) -> Result<&Script, Refusal> {
        let fit = self.0.iter().filter(|(cue, _)| opening.contains(cue.as_str()));
        let longest = fit.max_by_key(|(cue, _)| cue.len());
        longest.map(|(_, script)| script).ok_or_else(|| {
            Refusal::invalid(
                "no rehearsal was written for what this conversation begins with: ask for what one has",
            )
        })
    }
}

impl From<Script> for Repertoire {
    /// This script, whatever is asked for.
    fn from(script: Script) -> Repertoire {
        Repertoire::new().with("", script)
    }
}
