//! What git's complaints mean. Git has no error codes; with `LC_ALL=C` its sentences are stable over many versions.

use crate::ForgeError;
use crate::source::Source;

const DISK: [&str; 6] = [
    "no space left on device",
    "disk quota exceeded",
    "read-only file system",
    "input/output error",
    "unable to create temporary file",
    "too many open files",
];

/// The error behind a complaint of a call that only looked at private folders.
pub(crate) fn local(what: &str, stderr: &str) -> ForgeError {
    disk(what, stderr).unwrap_or_else(|| ForgeError::Git { what: what.to_owned(), detail: gist(stderr) })
}

/// The error behind a complaint of a call that talked to `source`. Secrets of the address are taken out first.
pub(crate) fn remote(what: &str, source: &Source, stderr: &str) -> ForgeError {
    let stderr = source.redact(stderr);
    let low = stderr.to_ascii_lowercase();
    let says = |sentences: &[&str]| sentences.iter().any(|sentence| low.contains(sentence));
    let (repo, detail) = (source.address.clone(), gist(&stderr));
    if let Some(error) = disk(what, &stderr) {
        return error;
    }
    if says(&["host key verification failed"]) {
        return ForgeError::UnknownHost { repo, detail };
    }
    if says(&[
        "could not read username",
        "could not read password",
        "terminal prompts disabled",
        "authentication failed",
        "permission denied (",
        "invalid credentials",
        "returned error: 401",
        "returned error: 403",
        "returned error: 407",
    ]) {
        return ForgeError::NeedsCredentials { repo, detail };
    }
    if source.local.is_some() && says(&["permission denied"]) {
        return ForgeError::Unreadable { repo, detail };
    }
    if says(&["does not appear to be a git repository", "not a git repository", "invalid gitfile format"]) {
        return match source.local {
            Some(_) if source.is_absent() => ForgeError::NotFound { repo },
            _ => ForgeError::NotARepository { repo },
        };
    }
    if says(&["' not found", "repository not found", "no such file or directory", "returned error: 404"]) {
        return ForgeError::NotFound { repo };
    }
    if says(&[
        "fsck error",
        "error in object",
        "object corrupt",
        "bad object",
        "is corrupt",
        "missing blob",
        "missing tree",
        "all necessary objects",
    ]) {
        return ForgeError::Corrupt { repo, detail };
    }
    if source.local.is_none()
        && says(&[
            "could not resolve",
            "couldn't resolve",
            "failed to connect",
            "couldn't connect",
            "could not connect",
            "connection refused",
            "connection reset",
            "connection timed out",
            "connection closed",
            "timed out",
            "operation too slow",
            "network is unreachable",
            "no route to host",
            "unable to access",
            "unable to connect",
            "unable to look up",
            "early eof",
            "hung up",
            "empty reply",
            "rpc failed",
            "returned error: 5",
            "ssl",
            "could not read from remote repository",
        ])
    {
        return ForgeError::Unreachable { repo, detail };
    }
    ForgeError::Git { what: what.to_owned(), detail }
}

/// The error behind a complaint of a push.
pub(crate) fn push(what: &str, source: &Source, branch: &str, stderr: &str) -> ForgeError {
    let low = stderr.to_ascii_lowercase();
    let refuses = ["[remote rejected]", "was archived", "refusing to allow", "pre-receive hook declined"];
    if refuses.iter().any(|part| low.contains(part)) {
        let detail = gist(&source.redact(stderr));
        return ForgeError::PushRefused { repo: source.address.clone(), branch: branch.to_owned(), detail };
    }
    remote(what, source, stderr)
}

/// Whether a push came too late: the branch is no longer where it was seen.
pub(crate) fn lost_the_lease(stderr: &str) -> bool {
    ["stale info", "cannot lock ref", "fetch first"].iter().any(|part| stderr.contains(part))
}

/// Whether the other side says that it does not give, or does not have, the commit that was asked for by its id.
pub(crate) fn refuses_commit(stderr: &str) -> bool {
    ["not our ref", "unadvertised object", "couldn't find remote ref", "no such remote ref"]
        .iter()
        .any(|sentence| stderr.contains(sentence))
}

/// Whether the other side cannot send a part of the history only.
pub(crate) fn refuses_depth(stderr: &str) -> bool {
    stderr.contains("does not support shallow")
}

fn disk(what: &str, stderr: &str) -> Option<ForgeError> {
    let low = stderr.to_ascii_lowercase();
    DISK.iter().any(|sentence| low.contains(sentence)).then(|| ForgeError::Disk {
        what: format!("asking git to {what}"),
        source: std::io::Error::other(gist(stderr)),
    })
}

/// The lines that say what is wrong, as one, fit for a message.
pub(crate) fn gist(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is_telling =
        |line: &&str| line.starts_with("fatal:") || line.starts_with("error:") || line.starts_with("remote:");
    let telling: Vec<&str> = lines.iter().copied().filter(is_telling).collect();
    let chosen = if telling.is_empty() { lines } else { telling };
    let text = domain::head_and_tail(&chosen.join("; "), 600).replace('\n', " ");
    if text.is_empty() { "git said nothing".to_owned() } else { domain::clean(&text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(repo: &str, stderr: &str) -> String {
        let error = remote("fetch", &Source::parse(repo).ok().unwrap(), stderr);
        format!("{error:?}").split([' ', '{']).next().unwrap_or_default().to_owned()
    }

    #[test]
    fn each_complaint_has_its_error() {
        let url = "https://example.org/a";
        for (stderr, expected) in [
            (
                "fatal: could not read Username for 'https://example.org': terminal prompts disabled",
                "NeedsCredentials",
            ),
            ("fatal: Authentication failed for 'https://example.org/a/'", "NeedsCredentials"),
            (
                "git@example.org: Permission denied (publickey).\nfatal: Could not read from remote repository.",
                "NeedsCredentials",
            ),
            ("Host key verification failed.\nfatal: Could not read from remote repository.", "UnknownHost"),
            (
                "remote: Repository not found.\nfatal: repository 'https://example.org/a/' not found",
                "NotFound",
            ),
            ("fatal: unable to access 'https://x/': Could not resolve host: x", "Unreachable"),
            ("fatal: unable to access 'https://x/': The requested URL returned error: 503", "Unreachable"),
            (
                "ssh: connect to host x port 22: Connection refused\nfatal: Could not read from remote repository.",
                "Unreachable",
            ),
            (
                "fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output",
                "Disk",
            ),
            ("error: object 0123: missingTree: x\nfatal: fsck error in packed object", "Corrupt"),
            ("fatal: something new", "Git"),
        ] {
            assert_eq!(kind(url, stderr), expected, "{stderr}");
        }
        assert_eq!(kind("/srv", "error: cannot open '/srv/.git/HEAD': Permission denied"), "Unreadable");
    }

    #[test]
    fn no_secret_of_the_address_is_in_the_message() {
        let source = Source::parse("https://bot:hunter2@example.org/a").ok().unwrap();
        let error =
            remote("fetch", &source, "fatal: unable to access 'https://bot:hunter2@example.org/a': no");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}
