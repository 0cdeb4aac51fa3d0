//! The last words of a program: an error with all its causes, on one line.

use std::error::Error;

/// `error` and its whole chain of causes, joined by `: `, on one line.
///
/// A cause that its parent already quotes is not repeated. Line breaks become ` | `. With anyhow, pass `error.as_ref()`.
///
/// ```
/// let error = std::io::Error::other("the disk\nis full");
/// assert_eq!(service::exit::one_line(&error), "the disk | is full");
/// ```
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !text.is_empty() && !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = inner.source();
    }
    line.lines().map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{says}")]
    struct Link {
        says: &'static str,
        source: Option<Box<Link>>,
    }

    fn chain(says: &[&'static str]) -> Link {
        let (first, rest) = says.split_first().unwrap();
        Link { says: first, source: (!rest.is_empty()).then(|| Box::new(chain(rest))) }
    }

    #[test]
    fn every_cause_is_named_once() {
        assert_eq!(
            one_line(&chain(&["cannot start", "no database", "refused"])),
            "cannot start: no database: refused"
        );
        assert_eq!(one_line(&chain(&["db error: refused", "refused"])), "db error: refused");
    }

    #[test]
    fn it_is_one_line_whatever_the_causes_say() {
        assert_eq!(one_line(&chain(&["it said:\n", "a\r\n\n  b\n"])), "it said: | : a | b");
    }
}
