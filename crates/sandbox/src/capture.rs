//! Keeps the head and the tail of an endless output in bounded memory, and makes them fit to show.

use std::collections::VecDeque;

/// An output as it comes in.
pub struct Capture {
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
}

impl Capture {
    /// Keeps at most `limit` bytes.
    pub fn new(limit: usize) -> Capture {
        Capture { half: limit / 2, head: Vec::new(), tail: VecDeque::new(), total: 0 }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let (first, rest) = bytes.split_at(bytes.len().min(self.half - self.head.len()));
        self.head.extend_from_slice(first);
        let rest = &rest[rest.len().saturating_sub(self.half)..];
        let overflow = (self.tail.len() + rest.len()).saturating_sub(self.half);
        self.tail.drain(..overflow);
        self.tail.extend(rest);
    }

    /// How many bytes came in.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The text: whole if it fits, else its head and tail around a line that says how many bytes are missing.
    pub fn text(mut self) -> String {
        let limit = self.half * 2;
        let lost = self.total - (self.head.len() + self.tail.len()) as u64;
        let tail: &[u8] = self.tail.make_contiguous();
        if lost == 0 {
            let whole = [&self.head, tail].concat();
            let text = tidy(shown(&whole).map(|(c, _)| c).collect());
            if text.len() <= limit {
                return text;
            }
        }
        // A cut may fall inside a character: its remains are no character.
        let broken = tail.iter().take(3).take_while(|byte| *byte & 0xC0 == 0x80).count();
        let (front, front_bytes) = first(&self.head, self.half);
        let (back, back_bytes) = last(&tail[broken..], self.half);
        let missing = self.total - front_bytes as u64 - back_bytes as u64;
        format!("{}\n[... {missing} bytes left out ...]\n{}", tidy(front), tidy(back))
    }
}

/// The characters of `raw` as they may be shown, each with the number of bytes that it stands for.
fn shown(raw: &[u8]) -> impl Iterator<Item = (char, usize)> {
    raw.utf8_chunks()
        .flat_map(|chunk| {
            let invalid = chunk.invalid().len();
            let valid = chunk.valid().chars().map(|c| (c, c.len_utf8()));
            valid.chain((invalid > 0).then_some((char::REPLACEMENT_CHARACTER, invalid)))
        })
        .map(|(c, bytes)| match c {
            '\n' | '\t' | '\r' => (c, bytes),
            c if c.is_control() => (char::REPLACEMENT_CHARACTER, bytes),
            c => (c, bytes),
        })
}

/// At most `limit` bytes of text from the start of `raw`, and how many bytes of `raw` that is.
fn first(raw: &[u8], limit: usize) -> (String, usize) {
    let (mut text, mut used) = (String::new(), 0);
    for (c, bytes) in shown(raw) {
        if text.len() + c.len_utf8() > limit {
            break;
        }
        text.push(c);
        used += bytes;
    }
    (text, used)
}

/// The same from the end of `raw`.
fn last(raw: &[u8], limit: usize) -> (String, usize) {
    let length: usize = shown(raw).map(|(c, _)| c.len_utf8()).sum();
    let mut over = length.saturating_sub(limit);
    let (mut text, mut used) = (String::new(), 0);
    for (c, bytes) in shown(raw) {
        if over > 0 {
            over = over.saturating_sub(c.len_utf8());
        } else {
            text.push(c);
            used += bytes;
        }
    }
    (text, used)
}

/// Carriage returns move the cursor back over what was printed; a new line shows both.
fn tidy(text: String) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(limit: usize, chunks: &[&[u8]]) -> String {
        let mut capture = Capture::new(limit);
        chunks.iter().for_each(|chunk| capture.push(chunk));
        capture.text()
    }

    #[test]
    fn a_short_output_comes_whole() {
        assert_eq!(captured(10, &[b"hello ", b"you"]), "hello you");
        assert_eq!(captured(0, &[]), "");
    }

    #[test]
    fn a_long_output_keeps_its_ends_and_says_what_is_missing() {
        let expected = "aaa\n[... 94 bytes left out ...]\nzzz";
        assert_eq!(captured(6, &[b"aaa", &[b'-'; 94], b"zzz"]), expected);
        let bytes: Vec<&[u8]> =
            [&b"aaa"[..]].into_iter().chain([&b"-"[..]; 94]).chain([&b"zzz"[..]]).collect();
        assert_eq!(captured(6, &bytes), expected);
    }

    #[test]
    fn what_a_terminal_would_obey_is_replaced() {
        assert_eq!(captured(100, &[b"a\0b\x1b[2J\xff\tc\r\nd\re"]), "a\u{FFFD}b\u{FFFD}[2J\u{FFFD}\tc\nd\ne");
    }

    #[test]
    fn a_character_cut_in_two_by_chunks_is_still_one() {
        assert_eq!(captured(100, &[b"\xc3", b"\xa9"]), "é");
    }

    #[test]
    fn garbage_does_not_grow_beyond_the_limit() {
        let text = captured(30, &[&[0u8; 30]]);
        assert_eq!(text, format!("{0}\n[... 20 bytes left out ...]\n{0}", "\u{FFFD}".repeat(5)));
    }

    #[test]
    fn no_limit_is_no_text() {
        assert_eq!(captured(0, &[b"abc"]), "\n[... 3 bytes left out ...]\n");
    }
}
