//! Text that strangers wrote, made fit for GitHub's pages: it calls nobody, closes nothing, hides nothing and loads nothing.

/// Bytes of a text that GitHub takes are a few more than this.
pub const LONGEST_BODY: usize = 60_000;
/// Stands between what GitHub would act upon, and is not seen.
const NOTHING: char = '\u{200b}';
/// What is followed by a number when it means an issue, a pull request or a discussion.
const BEFORE_NUMBERS: [&str; 5] = ["#", "gh-", "/issues/", "/pull/", "/discussions/"];

/// `text` without mentions, references (which closing keywords need), HTML (comments too, and its names for characters) and images. It reads as before.
pub fn defused(text: &str) -> String {
    let clean = domain::clean(text);
    let mut out = String::with_capacity(clean.len() + 16);
    let mut rest = clean.chars().peekable();
    while let Some(c) = rest.next() {
        out.push(c);
        let Some(&next) = rest.peek() else { break };
        let acts = match c {
            '@' => next.is_ascii_alphanumeric(),
            '<' => next.is_ascii_alphabetic() || matches!(next, '!' | '/' | '?'),
            '!' => next == '[',
            '&' => is_entity(rest.clone()),
            '#' | '-' | '/' => next.is_ascii_digit() && ends_a_reference(&out),
            _ => false,
        };
        if acts {
            out.push(NOTHING);
        }
    }
    out
}

/// Whether what follows an ampersand makes it one character of HTML, such as the `@` of a mention.
fn is_entity(mut rest: impl Iterator<Item = char>) -> bool {
    rest.find(|c| !c.is_ascii_alphanumeric() && *c != '#') == Some(';')
}

fn ends_a_reference(text: &str) -> bool {
    BEFORE_NUMBERS.iter().any(|word| {
        let start = text.len().checked_sub(word.len()).and_then(|start| text.get(start..));
        start.is_some_and(|end| end.eq_ignore_ascii_case(word))
    })
}

/// `text` as a block of code: whatever stands in it, it does not end before its end. `language` is a word such as `diff`, or nothing.
pub fn fenced(text: &str, language: &str) -> String {
    let clean = domain::clean(text);
    let longest = clean.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let end = if clean.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{clean}{end}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_acts() {
        for (acts, inert) in [
            ("thanks @octocat", "thanks @\u{200b}octocat"),
            ("fixes #12", "fixes #\u{200b}12"),
            ("closes o/r#12", "closes o/r#\u{200b}12"),
            ("resolves GH-7", "resolves GH-\u{200b}7"),
            ("closes https://github.com/o/r/issues/5", "closes https://github.com/o/r/issues/\u{200b}5"),
            ("see /pull/5", "see /pull/\u{200b}5"),
            ("a <!-- codeteam --> b", "a <\u{200b}!-- codeteam --> b"),
            ("![x](https://evil.example/?secret)", "!\u{200b}[x](https://evil.example/?secret)"),
            ("<img src=x>", "<\u{200b}img src=x>"),
            ("</details>", "<\u{200b}/details>"),
            ("&#64;octocat", "&\u{200b}#\u{200b}64;octocat"),
            ("@&#111;ctocat", "@&\u{200b}#\u{200b}111;ctocat"),
            ("&#x40;octocat", "&\u{200b}#x40;octocat"),
            ("&commat;octocat", "&\u{200b}commat;octocat"),
            ("&#35;12", "&\u{200b}#\u{200b}35;12"),
        ] {
            assert_eq!(defused(acts), inert);
        }
        for plain in [
            "a < b",
            "#[derive]",
            "x != [1]",
            "a - 1",
            "and/or 5",
            "no-1",
            "a#b",
            "1/2",
            "a && b;",
            "R&D",
            "?a=1&b=2",
        ] {
            assert_eq!(defused(plain), plain);
        }
        assert_eq!(defused("bell\u{7}"), "bell\u{fffd}");
    }

    #[test]
    fn a_block_of_code_ends_where_it_ends() {
        assert_eq!(fenced("a\n", "sh"), "```sh\na\n```");
        assert_eq!(fenced("```\n@all", ""), "````\n```\n@all\n````");
        assert_eq!(fenced("", ""), "```\n\n```");
    }
}
