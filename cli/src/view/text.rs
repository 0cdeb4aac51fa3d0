//! Text from strangers on one line of a terminal: cleaned, short, and without the passwords of addresses.

use domain::clean;

/// `text` on one line of at most about `limit` characters.
pub fn one_line(text: &str, limit: usize) -> String {
    let line = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(limit) {
        None => line,
        Some((cut, _)) => format!("{}…", line[..cut].trim_end()),
    }
}

/// The first characters of an id: enough to type.
pub fn short(id: &impl ToString) -> String {
    id.to_string().chars().take(8).collect()
}

/// A repository's address without what may be a secret in it.
pub fn address(repo: &str) -> String {
    let shown = match repo.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => repo.to_owned(),
    };
    clean(&shown)
}

/// The last part of a repository's address.
pub fn tail(repo: &str) -> String {
    let address = address(repo);
    let path = address.trim_end_matches('/');
    let name = path.rsplit(['/', ':']).next().unwrap_or(path);
    one_line(name.strip_suffix(".git").unwrap_or(name), 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_hostile_text_becomes_one_short_line() {
        assert_eq!(one_line("a\n  b\x1b[2J\tc", 20), "a b\u{FFFD}[2J c");
        assert_eq!(one_line("äöüäöü", 3), "äöü…");
    }

    #[test]
    fn an_address_shows_its_host_and_no_password() {
        assert_eq!(address("https://bot:s3cret@h.example/a/b.git"), "https://h.example/a/b.git");
        assert_eq!(tail("https://bot:s3cret@h.example/a/b.git"), "b");
        assert_eq!(tail("git@h.example:team/app"), "app");
        assert_eq!(tail("/srv/app/"), "app");
    }
}
