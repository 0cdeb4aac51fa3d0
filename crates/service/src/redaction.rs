//! Hides secrets in text by their exact value. Patterns miss: providers change what their tokens look like.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};

use crate::{Name, Secrets};

/// Shorter values (bytes) are not hidden: they would tear holes into ordinary words.
const SHORTEST: usize = 8;
/// Of a database's password alone more is wanted: many a one is a word, as `postgres` is.
const SHORTEST_PASSWORD: usize = 12;
/// Values that are hidden for a while at the same time: more than a worker has jobs.
const PASSING: usize = 64;
const MASK: &str = "[redacted]";

/// The values to hide. Cheap to clone; all clones share them.
#[derive(Clone, Default)]
pub struct Redaction {
    values: Arc<RwLock<Values>>,
}

#[derive(Default)]
struct Values {
    fixed: Vec<SecretString>,
    /// The oldest first.
    passing: VecDeque<SecretString>,
    /// Every form of both. Longest first, so that a secret that contains another is hidden whole.
    forms: Vec<SecretString>,
}

impl Values {
    fn spell_out(&mut self) {
        let mut forms: Vec<SecretString> = Vec::new();
        for form in self.fixed.iter().chain(&self.passing).flat_map(forms_of) {
            if !holds(&forms, &form) {
                forms.push(form);
            }
        }
        forms.sort_by_key(|form| std::cmp::Reverse(form.expose_secret().len()));
        self.forms = forms;
    }
}

fn holds<'a>(known: impl IntoIterator<Item = &'a SecretString>, secret: &SecretString) -> bool {
    known.into_iter().any(|known| known.expose_secret() == secret.expose_secret())
}

/// A secret as it may be written: as it is, escaped, and line by line.
fn forms_of(secret: &SecretString) -> Vec<SecretString> {
    let secret = secret.expose_secret();
    let json = serde_json::to_string(secret).unwrap_or_default();
    let debug = format!("{secret:?}");
    let within_quotes =
        |text: &'_ str| text.get(1..text.len().saturating_sub(1)).unwrap_or_default().to_owned();
    let (json, debug) = (within_quotes(&json), within_quotes(&debug));
    // Armour lines of a key say nothing.
    let lines = secret.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    let forms = lines.chain([secret.trim(), &json, &debug]).filter(|form| form.len() >= SHORTEST);
    forms.map(SecretString::from).collect()
}

impl Redaction {
    /// Hides this value from now on, also as JSON and Rust's debug output escape it, and, of a value of several
    /// lines, each line. Values below 8 bytes are not hidden.
    pub fn hide(&self, secret: &SecretString) {
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        if !holds(&values.fixed, secret) {
            values.fixed.push(secret.clone());
            values.spell_out();
        }
    }

    /// The same until 64 others have come in this way: for what many are made of and each soon means nothing, as a job's token.
    pub fn hide_for_a_while(&self, secret: &SecretString) {
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        values.passing.retain(|known| known.expose_secret() != secret.expose_secret());
        values.passing.push_back(secret.clone());
        if values.passing.len() > PASSING {
            values.passing.pop_front();
        }
        values.spell_out();
    }

    /// Hides every secret, and the password in the database's URL also by itself, since drivers quote it alone: from 12 bytes
    /// on, for shorter ones are ordinary words.
    pub fn hide_all(&self, secrets: &Secrets) {
        for (name, secret) in secrets.iter() {
            self.hide(secret);
            if name == Name::DatabaseUrl
                && let Some(password) = password(secret.expose_secret())
                && password.len() >= SHORTEST_PASSWORD
            {
                self.hide(&password.to_owned().into());
            }
        }
    }

    /// `text` with `[redacted]` in place of each hidden value.
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
        values.forms.iter().fold(Cow::Borrowed(text), |text, value| {
            let value = value.expose_secret();
            if text.contains(value) { Cow::Owned(text.replace(value, MASK)) } else { text }
        })
    }
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redaction").finish_non_exhaustive()
    }
}

/// `secret` of `postgresql://user:secret@host/database`, as it is written there.
fn password(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
    Some(authority.rsplit_once('@')?.0.split_once(':')?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hiding(secrets: &[&str]) -> Redaction {
        let redaction = Redaction::default();
        secrets.iter().for_each(|&secret| redaction.hide(&secret.into()));
        redaction
    }

    #[test]
    fn a_secret_is_hidden_wherever_it_stands() {
        let redaction = hiding(&["sk-12345678"]);
        assert_eq!(redaction.apply("a sk-12345678, b=sk-12345678"), "a [redacted], b=[redacted]");
        assert!(matches!(redaction.apply("nothing here"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_secret_within_another_does_not_save_its_rest() {
        assert_eq!(
            hiding(&["sk-12345678", "sk-12345678-and-more"]).apply("(sk-12345678-and-more)"),
            "([redacted])"
        );
    }

    #[test]
    fn what_is_hidden_for_a_while_is_forgotten_after_64_others_and_nothing_else_is() {
        let redaction = hiding(&["sk-12345678"]);
        let token = |n: usize| format!("token-of-job-{n:03}");
        for n in 0..=PASSING {
            redaction.hide_for_a_while(&token(n).into());
            redaction.hide_for_a_while(&token(n).into());
        }
        redaction.hide_for_a_while(&token(1).into());
        assert_eq!(redaction.apply(&token(0)), token(0), "it is the oldest");
        for n in 1..=PASSING {
            assert_eq!(redaction.apply(&token(n)), "[redacted]", "{n}");
        }
        assert_eq!(redaction.apply("sk-12345678"), "[redacted]");
        assert_eq!(redaction.values.read().unwrap().forms.len(), PASSING + 1);
    }

    #[test]
    fn short_values_are_not_hidden() {
        assert_eq!(hiding(&["postgre"]).apply("postgres"), "postgres");
    }

    #[test]
    fn a_key_of_several_lines_is_hidden_whole_escaped_and_line_by_line() {
        let key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\nu5\"xyzzy+abcd/==\n-----END KEY-----\n";
        let redaction = hiding(&[key]);
        for form in [key.to_owned(), serde_json::to_string(key).unwrap(), format!("{key:?}")] {
            let hidden = redaction.apply(&form).into_owned();
            assert!(!hidden.contains("MIIE") && !hidden.contains("xyzzy"), "{hidden}");
        }
        assert_eq!(redaction.apply("at MIIEpAIBAAKCAQEA."), "at [redacted].");
    }

    #[test]
    fn the_password_is_found_in_a_database_url() {
        assert_eq!(password("postgresql://me:p@ss:word@host:5432/db?x=y@z"), Some("p@ss:word"));
        assert_eq!(password("postgresql://me@host/db"), None);
        assert_eq!(password("postgresql:///db?host=/run/a:b@c"), None);
    }
}
