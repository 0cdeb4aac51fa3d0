//! Gives git the changed files as bytes, in a repository made for one diff, so that git itself opens none of them.

use std::path::PathBuf;

use crate::object::quoted;
use crate::private::{Private, bare};
use crate::walk::Change;
use crate::{ForgeError, Mirror};

/// The ref of the changed state.
pub(crate) const CHANGED_REF: &str = "refs/codeteam/changed";

/// A repository that borrows the mirror's objects and holds the changed ones. Gone when dropped.
pub(crate) struct Imported {
    pub private: Private,
    pub git_dir: PathBuf,
}

/// Makes a commit of `changes` on top of the mirror's.
pub(crate) async fn import(mirror: &Mirror, changes: Vec<Change>) -> Result<Imported, ForgeError> {
    let private = mirror.scratch(None)?;
    let git_dir = private.path().join("changed.git");
    bare(&git_dir, mirror.format(), Some(mirror.git_dir()))?;
    let call = crate::git::Call::local("take in the changes", &private)
        .env("GIT_DIR", &git_dir)
        .args(["fast-import", "--quiet", "--depth=0", "--date-format=raw"])
        .input(stream(mirror.commit(), changes));
    call.succeed().await?;
    Ok(Imported { private, git_dir })
}

/// The language of `git fast-import`. What goes comes first: a file may make room for a folder of its name.
fn stream(from: &str, changes: Vec<Change>) -> Vec<Vec<u8>> {
    let head = format!(
        "feature done\ncommit {CHANGED_REF}\ncommitter codeteam <codeteam@localhost> 0 +0000\ndata 0\nfrom {from}\n"
    );
    let mut pieces = vec![head.into_bytes()];
    for change in changes.iter().filter(|change| change.old.is_some()) {
        pieces.push(format!("D {}\n", quoted(&change.path)).into_bytes());
    }
    for change in changes {
        let Some((kind, content)) = change.new else { continue };
        let path = quoted(&change.path);
        pieces.push(format!("M {} inline {path}\ndata {}\n", kind.mode(), content.len()).into_bytes());
        pieces.push(content);
        pieces.push(b"\n".to_vec());
    }
    pieces.push(b"done\n".to_vec());
    pieces
}
