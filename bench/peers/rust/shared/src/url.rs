//! The database's URL, in the forms that libpq takes.

/// `url` in a form that also strict parsers of URLs take: they know no `user@/db?host=/folder`, where the host is left out
/// because a socket's folder is given as a parameter.
pub(crate) fn strict(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority);
    let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
    let at = if user.is_empty() { "" } else { "@" };
    match host {
        "" => format!("{scheme}://{user}{at}localhost{path}"),
        port if port.starts_with(':') => format!("{scheme}://{user}{at}localhost{port}{path}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::strict;

    #[test]
    fn a_left_out_host_is_filled_in() {
        let cases = [
            ("postgresql://u@/db?host=/run/pg", "postgresql://u@localhost/db?host=/run/pg"),
            ("postgresql://u:p@:5433/db?host=/run/pg", "postgresql://u:p@localhost:5433/db?host=/run/pg"),
            ("postgresql:///db?host=/run/pg", "postgresql://localhost/db?host=/run/pg"),
            ("postgres://u:p@127.0.0.1:5432/db", "postgres://u:p@127.0.0.1:5432/db"),
        ];
        for (given, expected) in cases {
            assert_eq!(strict(given), expected);
        }
    }
}
