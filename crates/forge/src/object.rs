//! What git calls things: object formats, ids of blobs, file modes, and quoted paths.

use sha1::{Digest, Sha1};
use sha2::Sha256;

/// The hash that a repository names its objects by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Sha1,
    Sha256,
}

impl Format {
    /// The format in which `id` is a full object id, if it is one.
    pub fn of_id(id: &str) -> Option<Format> {
        if !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        match id.len() {
            40 => Some(Format::Sha1),
            64 => Some(Format::Sha256),
            _ => None,
        }
    }

    /// The `config` file of a repository in this format.
    pub fn repository_config(self, bare: bool) -> String {
        match self {
            Format::Sha1 => {
                format!("[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = {bare}\n")
            }
            Format::Sha256 => format!(
                "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = {bare}\n[extensions]\n\tobjectformat = sha256\n"
            ),
        }
    }

    /// The id of a blob of `size` bytes, to be fed with its content.
    pub fn blob_hasher(self, size: u64) -> BlobHasher {
        let header = format!("blob {size}\0");
        match self {
            Format::Sha1 => BlobHasher::Sha1(Sha1::new_with_prefix(header)),
            Format::Sha256 => BlobHasher::Sha256(Sha256::new_with_prefix(header)),
        }
    }
}

/// A blob's id in the making.
pub(crate) enum BlobHasher {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl BlobHasher {
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            BlobHasher::Sha1(hasher) => hasher.update(bytes),
            BlobHasher::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// The id in lower-case hex.
    pub fn finish(self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            BlobHasher::Sha1(hasher) => hex(hasher.finalize().as_slice()),
            BlobHasher::Sha256(hasher) => hex(hasher.finalize().as_slice()),
        }
    }
}

/// What a path of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Executable,
    Symlink,
    /// A commit of another repository. Never fetched, never changed.
    Submodule,
}

impl Kind {
    /// From git's octal mode. Old histories hold a few further modes for plain files.
    pub fn of_mode(mode: &str) -> Kind {
        match mode {
            "100755" => Kind::Executable,
            "120000" => Kind::Symlink,
            "160000" => Kind::Submodule,
            _ => Kind::File,
        }
    }

    /// Git's octal mode.
    pub fn mode(self) -> &'static str {
        match self {
            Kind::File => "100644",
            Kind::Executable => "100755",
            Kind::Symlink => "120000",
            Kind::Submodule => "160000",
        }
    }
}

/// `path` between double quotes, as git reads it back in its own files and streams.
pub(crate) fn quoted(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len() + 2);
    out.push('"');
    for &byte in path {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            0x20..=0x7e => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out.push('"');
    out
}

/// The path that git shows as `text`: between double quotes when it holds anything unusual. Bytes that are not UTF-8 become U+FFFD.
pub(crate) fn unquoted(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match bytes.next() {
            Some(b'a') => 7,
            Some(b'b') => 8,
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'v') => 11,
            Some(b'f') => 12,
            Some(b'r') => b'\r',
            Some(first @ b'0'..=b'3') => {
                let mut digit = || bytes.next().map_or(0, |digit| digit.wrapping_sub(b'0') & 7);
                let (second, third) = (digit(), digit());
                (first - b'0') * 64 + second * 8 + third
            }
            Some(other) => other,
            None => b'\\',
        });
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether git refuses `name` in any path, on this system or on one whose file names fold to `.git`.
pub(crate) fn is_forbidden(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    let stem = lower.split(|&byte| byte == b':').next().unwrap_or_default();
    let end = stem.iter().rposition(|&byte| byte != b'.' && byte != b' ').map_or(0, |last| last + 1);
    matches!(stem.get(..end), Some(b".git" | b"git~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_named_as_git_names_it() {
        let mut sha1 = Format::Sha1.blob_hasher(6);
        sha1.update(b"hello\n");
        assert_eq!(sha1.finish(), "ce013625030ba8dba906f756967f9e9ca394464a");
        let mut sha256 = Format::Sha256.blob_hasher(6);
        sha256.update(b"hello\n");
        assert_eq!(sha256.finish(), "2cf8d83d9ee29543b34a87727421fdecb7e3f3a183d337639025de576db9ebb4");
    }

    #[test]
    fn every_disguise_of_a_git_folder_is_forbidden() {
        for bad in [".git", ".GIT", ".git.", ".git . ", "git~1", ".git::$INDEX_ALLOCATION"] {
            assert!(is_forbidden(bad.as_bytes()), "{bad}");
        }
        for good in [".gitignore", ".github", "git", ".git2", "x.git"] {
            assert!(!is_forbidden(good.as_bytes()), "{good}");
        }
    }

    #[test]
    fn a_quoted_path_is_plain_ascii() {
        let path = "a \"b\"\\\n\u{e9}";
        assert_eq!(quoted(path.as_bytes()), "\"a \\\"b\\\"\\\\\\012\\303\\251\"");
        for written in [quoted(path.as_bytes()).as_str(), path] {
            assert_eq!(unquoted(written), path);
        }
        assert_eq!(unquoted("\"a\\tb\\nc\""), "a\tb\nc");
    }
}
