//! Turns changes into a patch that is text: UTF-8 without NUL, whatever the files hold.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::error::DIFF_BYTES;
use crate::git::{Call, Output};
use crate::import::{CHANGED_REF, Imported, import};
use crate::object::{Kind, quoted};
use crate::private::NO_ATTRIBUTES;
use crate::walk::{Change, too_large};
use crate::{ForgeError, Mirror};

/// Bytes of old contents that are looked at; what lies beyond is taken for binary, which is always right, if terse.
const OLD_BYTES: u64 = 64 << 20;

/// The patch from the mirror's commit to `changes`.
pub(crate) async fn patch(mirror: &Mirror, mut changes: Vec<Change>) -> Result<String, ForgeError> {
    let old = old_texts(mirror, &changes).await?;
    let is_text_before =
        |change: &Change| change.old.as_ref().is_none_or(|old_file| old.contains(&old_file.id));
    // Git shows a link as text whatever its target is; an old one that is no text has no place in a patch.
    changes.retain(|change| {
        is_text_before(change) || change.old.as_ref().is_none_or(|old_file| old_file.kind != Kind::Symlink)
    });
    if changes.is_empty() {
        return Ok(String::new());
    }
    let sizes: Vec<(u64, Vec<u8>)> =
        changes.iter().map(|change| (bytes_of(change), change.path.clone())).collect();
    let is_text_after = |change: &Change| change.new.as_ref().is_none_or(|(_, content)| is_text(content));
    let binary: Vec<Vec<u8>> = changes
        .iter()
        .filter(|change| !is_text_before(change) || !is_text_after(change))
        .map(|change| change.path.clone())
        .collect();
    let imported = import(mirror, changes).await?;
    let attributes = imported.git_dir.join("info/attributes");
    let rules: String = binary.iter().map(|path| format!("{} -diff\n", pattern(path))).collect();
    set(&attributes, &format!("{NO_ATTRIBUTES}{rules}"))?;
    let mut output = diff(mirror, &imported).await?;
    if !output.cut && !is_text(&output.stdout) {
        // A path too long for a line of the attributes file was taken for text after all.
        set(&attributes, &format!("{NO_ATTRIBUTES}* -diff\n"))?;
        output = diff(mirror, &imported).await?;
    }
    if output.cut {
        return Err(too_large(&sizes));
    }
    if !output.success {
        return Err(crate::stderr::local("compare the files", &output.stderr));
    }
    String::from_utf8(output.stdout).map_err(|_| ForgeError::Git {
        what: "write the changes as text".to_owned(),
        detail: "a name or a link among them is not UTF-8".to_owned(),
    })
}

async fn diff(mirror: &Mirror, imported: &Imported) -> Result<Output, ForgeError> {
    Call::local("compare the files", &imported.private)
        .env("GIT_DIR", &imported.git_dir)
        .args(["diff-tree", "-r", "-p", "--binary", "--full-index", "--find-renames", "--no-color"])
        .args(["--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/"])
        .args([mirror.commit(), CHANGED_REF])
        .limit(DIFF_BYTES)
        .run()
        .await
}

fn set(path: &Path, text: &str) -> Result<(), ForgeError> {
    std::fs::write(path, text).map_err(ForgeError::disk("writing", path))
}

fn is_text(content: &[u8]) -> bool {
    !content.contains(&0) && std::str::from_utf8(content).is_ok()
}

fn bytes_of(change: &Change) -> u64 {
    let old = change.old.as_ref().map_or(0, |old| old.size);
    change.new.as_ref().map_or(old, |(_, content)| content.len() as u64)
}

/// `path` alone, as a line of an attributes file names it: from the root, wildcards taken literally.
fn pattern(path: &[u8]) -> String {
    let mut literal = vec![b'/'];
    for &byte in path {
        if matches!(byte, b'*' | b'?' | b'[' | b'\\') {
            literal.push(b'\\');
        }
        literal.push(byte);
    }
    quoted(&literal)
}

/// The ids of the changes' old contents that are text.
async fn old_texts(mirror: &Mirror, changes: &[Change]) -> Result<HashSet<String>, ForgeError> {
    let mut wanted: HashMap<&str, u64> = HashMap::new();
    let mut total = 0;
    for old in changes.iter().filter_map(|change| change.old.as_ref()) {
        if total + old.size <= OLD_BYTES && wanted.insert(&old.id, old.size).is_none() {
            total += old.size;
        }
    }
    if wanted.is_empty() {
        return Ok(HashSet::new());
    }
    let ids: String = wanted.keys().map(|id| format!("{id}\n")).collect();
    let answer = mirror
        .call("read the old files")
        .args(["cat-file", "--batch"])
        .input(vec![ids.into_bytes()])
        .succeed()
        .await?;
    Ok(texts(&answer))
}

/// Reads records of `ID blob SIZE\nCONTENT\n`.
fn texts(mut answer: &[u8]) -> HashSet<String> {
    let mut found = HashSet::new();
    while let Some(end) = answer.iter().position(|&byte| byte == b'\n') {
        let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).into_owned();
        let mut words = head.split(' ');
        let (id, size) = (words.next(), words.nth(1).and_then(|size| size.parse::<usize>().ok()));
        let (Some(id), Some(size)) = (id, size) else { break };
        let start = end + 1;
        let Some(content) = answer.get(start..start + size) else { break };
        if is_text(content) {
            found.insert(id.to_owned());
        }
        answer = answer.get(start + size + 1..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_contents_are_told_apart() {
        let answer = b"aa blob 3\nx\ny\nbb blob 2\n\xff\n\ncc blob 0\n\ndd missing\n";
        assert_eq!(texts(answer), HashSet::from(["aa".to_owned(), "cc".to_owned()]));
    }

    #[test]
    fn a_pattern_means_one_path() {
        assert_eq!(pattern(b"a [1]/\xe9*.txt"), "\"/a \\\\[1]/\\351\\\\*.txt\"");
    }
}
