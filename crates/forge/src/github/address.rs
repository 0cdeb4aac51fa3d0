//! Which repositories are GitHub's, and where its API and its git are.

use url::Url;

use super::GitHubError;

/// A repository by its owner and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug {
    /// The account.
    pub owner: String,
    /// Its repository, without `.git`.
    pub name: String,
}

impl std::fmt::Display for Slug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// GitHub, or a server of one's own.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// Without a slash at its end.
    pub api: String,
    scheme: String,
    /// The host that serves git, with its port where that is not the scheme's own.
    authority: String,
}

impl Host {
    /// From the setting `GITHUB_API_URL`.
    pub fn parse(api_url: &str) -> Result<Host, GitHubError> {
        let wrong =
            || GitHubError::ApiUrl { url: api_url.split('@').next_back().unwrap_or_default().to_owned() };
        let url = Url::parse(api_url).map_err(|_| wrong())?;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        let (true, true, Some(host)) = (matches!(url.scheme(), "http" | "https"), plain, url.host_str())
        else {
            return Err(wrong());
        };
        // GitHub's own API has a host for itself; a server's stands below /api/v3.
        let git_host = match host.strip_prefix("api.") {
            Some(rest) if url.path() == "/" => rest,
            _ => host,
        };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Host {
            api: url.as_str().trim_end_matches('/').to_owned(),
            scheme: url.scheme().to_owned(),
            authority: format!("{git_host}{port}"),
        })
    }

    /// The repository that an address means here. None: it is somewhere else, or brings credentials of its own, which are then used.
    pub fn slug(&self, repo: &str) -> Option<Slug> {
        let (host, path) = match repo.split_once("://") {
            Some((scheme, rest)) => {
                let (authority, path) = rest.split_once('/')?;
                let is_ssh = scheme.eq_ignore_ascii_case("ssh");
                if !is_ssh && !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
                    return None;
                }
                match authority.rsplit_once('@') {
                    None => (authority, path),
                    Some(("git", host)) if is_ssh => (host, path),
                    Some(_) => return None,
                }
            }
            None => repo.strip_prefix("git@")?.split_once(':')?,
        };
        if !host.eq_ignore_ascii_case(&self.authority) {
            return None;
        }
        let path = path.trim_matches('/');
        let (owner, name) = path.strip_suffix(".git").unwrap_or(path).split_once('/')?;
        let is_name = |text: &str| {
            !matches!(text, "" | "." | "..")
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        (is_name(owner) && is_name(name)).then(|| Slug { owner: owner.to_owned(), name: name.to_owned() })
    }

    /// Where git finds the repository, with a token as its password.
    pub fn git_url(&self, slug: &Slug, token: &str) -> String {
        let escaped: String = token
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect();
        format!("{}://x-access-token:{escaped}@{}/{slug}.git", self.scheme, self.authority)
    }

    /// The host without its port, as addresses of people end.
    pub fn domain(&self) -> &str {
        self.authority.split(':').next().unwrap_or_default()
    }

    /// The page of a branch, for people.
    pub fn branch_page(&self, slug: &Slug, branch: &str) -> String {
        format!("{}://{}/{slug}/tree/{branch}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(api: &str, repo: &str) -> Option<String> {
        Host::parse(api).unwrap().slug(repo).map(|slug| slug.to_string())
    }

    #[test]
    fn every_way_to_write_a_repository_of_the_host_means_it() {
        let api = "https://api.github.com";
        for repo in [
            "https://github.com/o/r",
            "https://GitHub.com/o/r.git",
            "https://github.com/o/r/",
            "git@github.com:o/r.git",
            "ssh://git@github.com/o/r.git",
        ] {
            assert_eq!(slug(api, repo).as_deref(), Some("o/r"), "{repo}");
        }
        for other in [
            "https://example.org/o/r",
            "https://github.com.example.org/o/r",
            "https://user:token@github.com/o/r",
            "https://github.com/o",
            "https://github.com/o/r/tree/main",
            "https://github.com/../r",
            "git://github.com/o/r",
            "/srv/github.com/o/r",
        ] {
            assert_eq!(slug(api, other), None, "{other}");
        }
    }

    #[test]
    fn a_server_of_ones_own_serves_git_beside_its_api() {
        assert_eq!(
            slug("https://git.example.org/api/v3/", "https://git.example.org/o/r").as_deref(),
            Some("o/r")
        );
        assert_eq!(slug("https://api.team.ghe.com", "https://team.ghe.com/o/r").as_deref(), Some("o/r"));
        assert_eq!(slug("http://127.0.0.1:8080", "http://127.0.0.1:8080/o/r.git").as_deref(), Some("o/r"));
        let host = Host::parse("http://127.0.0.1:8080").unwrap();
        let slug = host.slug("http://127.0.0.1:8080/o/r").unwrap();
        assert_eq!(host.git_url(&slug, "ghs_a/b"), "http://x-access-token:ghs_a%2Fb@127.0.0.1:8080/o/r.git");
    }

    #[test]
    fn what_is_no_address_of_an_api_is_refused_without_its_password() {
        for wrong in ["api.github.com", "ftp://x", "https://u:hunter2@x", "https://x?y"] {
            let error = Host::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("GITHUB_API_URL") && !error.contains("hunter2"), "{error}");
        }
    }
}
