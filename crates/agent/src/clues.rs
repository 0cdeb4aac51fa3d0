//! What a person's words and a failing test's output point at: places, names from code, plain words. Pure.

use std::collections::HashSet;

/// The most clues of one kind that are followed.
const MOST: usize = 24;
/// The most bytes of a text that are looked at: its head, where a person says what it is about.
const TEXT_BYTES: usize = 20_000;
/// Shorter names and words are everywhere.
const SHORTEST: usize = 4;
/// Words that say what to do, not where. Short ones are left out anyway.
const COMMON: &str = "\
    about after again also another because been before being cannot change check code could does done each error \
    every expected fail failed failing fails file files find fixed from have instead into just line lines make makes \
    more must need needs only other passed please repair repository return returns review right same should some \
    such test tests than that their them then there these they this those traceback true false under used uses using \
    very want wants were what when where which while will with without work works would write wrong your";

/// A file that is named, with the line if one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// As it was written, without a leading `./` or `/`.
    pub path: String,
    pub line: Option<usize>,
}

/// What to look for, each kind in the order in which it was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clues {
    pub places: Vec<Place>,
    /// Names as code has them: with an underscore, a capital inside, a bracket behind, or set in backquotes.
    pub names: Vec<String>,
    /// Other words, in lower case.
    pub words: Vec<String>,
}

impl Clues {
    /// Reads `texts`, the most telling one first.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Clues {
        let (mut clues, mut seen) = (Clues::default(), HashSet::new());
        for text in texts {
            let text = crate::text::start(text, TEXT_BYTES);
            let mut chunks = chunks(text).peekable();
            while let Some(chunk) = chunks.next() {
                if let Some(mut place) = place(chunk.text) {
                    // As Python writes it: File "a/b.py", line 12
                    if place.line.is_none() && chunks.peek().is_some_and(|next| next.text == "line") {
                        chunks.next();
                        place.line = chunks.peek().and_then(|next| next.text.parse().ok());
                    }
                    if seen.insert(format!("{}:{:?}", place.path, place.line)) && clues.places.len() < MOST {
                        clues.places.push(place);
                    }
                } else {
                    clues.take(chunk, &mut seen);
                }
            }
        }
        clues
    }

    fn take(&mut self, chunk: Chunk<'_>, seen: &mut HashSet<String>) {
        for part in chunk.text.split([':', '.', '/', '#', '-']).filter(|part| part.len() >= SHORTEST) {
            let is_identifier = part.chars().all(|c| c.is_alphanumeric() || c == '_')
                && !part.starts_with(|c: char| c.is_ascii_digit());
            if !is_identifier {
                continue;
            }
            let word = part.to_lowercase();
            if chunk.is_code || part.contains('_') || has_inner_capital(part) {
                if seen.insert(part.to_owned()) && self.names.len() < MOST {
                    self.names.push(part.to_owned());
                }
            } else if !COMMON.split(' ').any(|common| common == word)
                && seen.insert(word.clone())
                && self.words.len() < MOST
            {
                self.words.push(word);
            }
        }
    }
}

fn has_inner_capital(part: &str) -> bool {
    let mut before = None;
    part.chars().any(|c| before.replace(c).is_some_and(char::is_lowercase) && c.is_uppercase())
}

/// A piece of text between white space and brackets.
struct Chunk<'a> {
    text: &'a str,
    /// Whether what stands around it says that it is a name.
    is_code: bool,
}

fn chunks(text: &str) -> impl Iterator<Item = Chunk<'_>> {
    let ends = |c: char| c.is_whitespace() || "\"'`()[]{}<>,;=|*!?&".contains(c);
    let mut rest = text;
    let mut before = None;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let end = rest.find(ends).unwrap_or(rest.len());
            let (chunk, tail) = rest.split_at(end);
            let after = tail.chars().next();
            rest = tail.get(after.map_or(0, char::len_utf8)..).unwrap_or_default();
            let is_code = before == Some('`') || after == Some('(');
            before = after;
            let chunk = chunk.trim_matches(['.', ':', '-']);
            if !chunk.is_empty() {
                return Some(Chunk { text: chunk, is_code });
            }
        }
    })
}

/// `src/a.rs`, `a.py:12`, `/somewhere/src/a.rs:12:5`: with a folder, or with an extension that begins with a letter.
fn place(chunk: &str) -> Option<Place> {
    let mut parts = chunk.split(':');
    let path = parts.next()?;
    let line = parts.next().and_then(|line| line.parse().ok());
    if chunk.contains("://") || chunk.contains("::") {
        return None;
    }
    let name = path.rsplit('/').next()?;
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_file =
        !stem.is_empty() && extension.starts_with(|c: char| c.is_ascii_alphabetic()) && extension.len() <= 8;
    let is_in_folder = path.contains('/') && path.len() >= SHORTEST && !name.is_empty();
    if !is_file && !is_in_folder {
        return None;
    }
    let path = path.trim_start_matches("./").trim_start_matches('/');
    (!path.is_empty()).then(|| Place { path: path.to_owned(), line })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str, line: Option<usize>) -> Place {
        Place { path: path.into(), line }
    }

    #[test]
    fn places_are_found_as_people_and_programs_write_them() {
        let clues = Clues::of([
            "look at ./src/total.rs:12 and `invoice.py`.",
            "  File \"/srv/lib/tax.py\", line 7, in rate\n  --> src/main.rs:3:9\nsee https://host/x.html",
        ]);
        assert_eq!(
            clues.places,
            [
                place("src/total.rs", Some(12)),
                place("invoice.py", None),
                place("srv/lib/tax.py", Some(7)),
                place("src/main.rs", Some(3)),
            ]
        );
    }

    #[test]
    fn names_from_code_are_told_from_words() {
        let clues =
            Clues::of(["The subtotal in line_total() and parseDate is wrong; `round` it with Money::cents."]);
        assert_eq!(clues.names, ["line_total", "parseDate", "round"]);
        assert_eq!(clues.words, ["subtotal", "money", "cents"]);
    }

    #[test]
    fn nothing_is_found_twice_or_without_end() {
        let text =
            "some_name ".repeat(10_000) + &(0..1_000).map(|n| format!("name_{n} ")).collect::<String>();
        assert_eq!(Clues::of([text.as_str()]).names, ["some_name"], "the head is looked at");
        let many: String = (0..1_000).map(|n| format!("name_{n} ")).collect();
        assert_eq!(Clues::of([many.as_str()]).names.len(), MOST);
    }
}
