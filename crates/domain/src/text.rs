//! Text from strangers, made fit to store, to send and to show.

/// `text` without what PostgreSQL cannot store (NUL) and what a terminal would obey (control characters other
/// than tab and newline), each replaced by U+FFFD.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{FFFD}' } else { c }).collect()
}

/// At most about `limit` bytes of `text`: its head and its tail, with a line between them that says how much is left out.
pub fn head_and_tail(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let half = limit / 2;
    let head = text.floor_char_boundary(half);
    let tail = text.ceil_char_boundary(text.len() - half);
    format!("{}\n[... {} bytes left out ...]\n{}", &text[..head], tail - head, &text[tail..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        assert_eq!(clean("a\0b\x1b[2Jc\td\n"), "a\u{FFFD}b\u{FFFD}[2Jc\td\n");
    }

    #[test]
    fn long_text_keeps_its_ends() {
        let text = format!("{}é{}", "a".repeat(99), "b".repeat(100));
        let cut = head_and_tail(&text, 100);
        assert!(cut.starts_with("aaa") && cut.ends_with("bbb") && cut.contains("left out"), "{cut}");
        assert_eq!(head_and_tail("short", 100), "short");
    }
}
