//! The address of a repository as a job writes it: what kind it is, and what of it nobody may read.

use std::path::{Path, PathBuf};

use crate::ForgeError;

/// A repository's address, taken apart. No `Debug`: it holds credentials.
pub struct Source {
    /// What git is given: a full path, or a URL without credentials.
    pub(crate) address: String,
    /// The folder, when the repository is on this machine.
    pub(crate) local: Option<PathBuf>,
    /// The URL as git's credential store writes it, when it held a user or a password for http.
    pub(crate) credential: Option<String>,
    /// Every spelling of a secret that may show up in an error text.
    secrets: Vec<String>,
}

impl Source {
    /// Takes `repo` apart without looking at the world: a full path, or a URL over https, http, ssh, git or file.
    ///
    /// # Errors
    /// `NotAnAddress`.
    pub fn parse(repo: &str) -> Result<Source, ForgeError> {
        let plain = |address: &str, local: Option<PathBuf>| Source {
            address: address.to_owned(),
            local,
            credential: None,
            secrets: Vec::new(),
        };
        if repo.starts_with('/') {
            return Ok(plain(repo, Some(PathBuf::from(repo))));
        }
        let Some((scheme, rest)) = repo.split_once("://") else {
            return if is_scp_like(repo) { Ok(plain(repo, None)) } else { Err(not_an_address(repo)) };
        };
        match scheme.to_ascii_lowercase().as_str() {
            "file" => match rest.strip_prefix("localhost").unwrap_or(rest) {
                path if path.starts_with('/') => {
                    let path = percent_decoded(path);
                    Ok(plain(&path, Some(PathBuf::from(&path))))
                }
                _ => Err(not_an_address(repo)),
            },
            "http" | "https" | "ssh" | "git" => Ok(with_authority(scheme, rest)),
            _ => Err(ForgeError::NotAnAddress { repo: with_authority(scheme, rest).address }),
        }
    }

    /// The address without credentials.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// `text` with every secret of the address replaced, whoever wrote it there.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
    }

    /// Whether the folder is there, when it is one on this machine.
    pub(crate) fn is_absent(&self) -> bool {
        self.local.as_deref().is_some_and(|path: &Path| !path.exists())
    }
}

/// `git@host:path`, as ssh writes it; not `helper::address`, which would run a program of the address's choice.
fn is_scp_like(repo: &str) -> bool {
    repo.split_once(':').is_some_and(|(host, path)| {
        !host.is_empty()
            && !host.starts_with('-')
            && !host.contains('/')
            && !path.is_empty()
            && !path.starts_with(':')
    })
}

fn not_an_address(repo: &str) -> ForgeError {
    ForgeError::NotAnAddress { repo: repo.to_owned() }
}

/// A URL split at its authority: what stands before the last `@` of it never reaches a command line or a message.
fn with_authority(scheme: &str, rest: &str) -> Source {
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let Some((user_info, host)) = authority.rsplit_once('@') else {
        return Source {
            address: format!("{scheme}://{rest}"),
            local: None,
            credential: None,
            secrets: Vec::new(),
        };
    };
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let is_ssh = scheme.eq_ignore_ascii_case("ssh");
    // Over ssh the user is part of the address (and no secret); over http a lone user is how tokens are written.
    let mut secrets: Vec<String> = [password, if is_ssh { "" } else { user }]
        .iter()
        .flat_map(|part| [(*part).to_owned(), percent_decoded(part)])
        .filter(|part| part.len() > 3)
        .collect();
    secrets.push(user_info.to_owned());
    if is_ssh {
        secrets.retain(|secret| secret != user);
    }
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    secrets.retain(|secret| !secret.is_empty());
    let address =
        if is_ssh { format!("{scheme}://{user}@{host}{path}") } else { format!("{scheme}://{host}{path}") };
    let is_http = scheme.to_ascii_lowercase().starts_with("http");
    let credential = is_http.then(|| format!("{}://{user}:{password}@{host}", scheme.to_ascii_lowercase()));
    Source { address, local: None, credential, secrets }
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match digits.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if first == b'%' => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_leave_the_address_and_every_text() {
        let source = Source::parse("https://bot:s3cr%40t@example.org:8443/a/b.git").ok().unwrap();
        assert_eq!(source.address, "https://example.org:8443/a/b.git");
        assert_eq!(source.credential.as_deref(), Some("https://bot:s3cr%40t@example.org:8443"));
        assert_eq!(source.redact("no s3cr@t, no s3cr%40t, no bot:s3cr%40t"), "no ***, no ***, no ***");
        let token = Source::parse("https://tokentoken@example.org/a").ok().unwrap();
        assert_eq!(token.redact("bad tokentoken"), "bad ***");
        assert_eq!(token.credential.as_deref(), Some("https://tokentoken:@example.org"));
    }

    #[test]
    fn a_path_may_be_written_as_a_url() {
        let source = Source::parse("file:///srv/my%20app").ok().unwrap();
        assert_eq!(source.local, Some(PathBuf::from("/srv/my app")));
    }

    #[test]
    fn ssh_keeps_its_user() {
        assert_eq!(Source::parse("git@example.org:a/b").ok().unwrap().address, "git@example.org:a/b");
        let url = Source::parse("ssh://git:secret@example.org/a").ok().unwrap();
        assert_eq!(
            (url.address.as_str(), url.redact("secret git")),
            ("ssh://git@example.org/a", "*** git".into())
        );
    }

    #[test]
    fn what_runs_a_program_or_depends_on_the_folder_is_no_address() {
        for bad in
            ["ext::sh -c true", "ext://x", "./app", "app", "-u", "../x:y", "file://host/x", "-oProxy=x:y"]
        {
            assert!(matches!(Source::parse(bad), Err(ForgeError::NotAnAddress { .. })), "{bad}");
        }
        let error = Source::parse("ftp://u:hunter2@h/x").err().unwrap();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
