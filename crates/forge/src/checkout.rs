//! Makes a workspace from a mirror, and remembers what it looked like before anybody else saw it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::memory::TICKS_NS;
use crate::object::Kind;
use crate::private::{NO_ATTRIBUTES, write};
use crate::read::{Stamp, blocking};
use crate::{ForgeError, Mirror, Workspace};

/// A path of the commit.
#[derive(Clone, Debug)]
pub(crate) struct Tracked {
    pub kind: Kind,
    pub id: String,
    /// Bytes of the blob; 0 for a submodule.
    pub size: u64,
    /// What the file's inode said right after the checkout. None: look at the content.
    pub stamp: Option<Stamp>,
}

/// The paths of the commit, in git's byte order.
pub(crate) type Tree = BTreeMap<Vec<u8>, Tracked>;

pub(crate) async fn checkout(mirror: &Mirror, path: &Path) -> Result<Workspace, ForgeError> {
    fs::create_dir(path).map_err(ForgeError::disk("making the folder", path))?;
    match fill(mirror, path).await {
        Ok(tree) => Ok(Workspace::new(mirror.clone(), path.to_path_buf(), tree)),
        Err(error) => {
            let _ = fs::remove_dir_all(path);
            Err(error)
        }
    }
}

async fn fill(mirror: &Mirror, path: &Path) -> Result<Tree, ForgeError> {
    let (from, to, commit) = (mirror.git_dir().to_path_buf(), path.join(".git"), mirror.commit().to_owned());
    let config = mirror.format().repository_config(false)
        + "\thooksPath = /dev/null\n[gc]\n\tauto = 0\n[user]\n\tname = codeteam\n\temail = codeteam@localhost\n";
    blocking(move || own_repository(&from, &to, &commit, &config)).await?;
    mirror
        .call("write the files")
        .env("GIT_WORK_TREE", path)
        .env("GIT_INDEX_FILE", path.join(".git/index"))
        .args(["read-tree", "--reset", "-u", mirror.commit()])
        .succeed()
        .await?;
    let listed = mirror
        .call("list the files")
        .args(["ls-tree", "-r", "-z", "-l", "--full-tree", mirror.commit()])
        .succeed()
        .await?;
    let root = path.to_path_buf();
    blocking(move || {
        let mut tree = parse(&listed);
        stamp(&mut tree, &root);
        Ok(tree)
    })
    .await
}

/// Writes a `.git` that owns its objects: copies, not links, so that nothing done to them reaches the mirror.
fn own_repository(from: &Path, to: &Path, commit: &str, config: &str) -> Result<(), ForgeError> {
    for dir in ["", "refs", "refs/heads", "info"] {
        let dir = to.join(dir);
        fs::create_dir(&dir).map_err(ForgeError::disk("making the folder", &dir))?;
    }
    write(&to.join("HEAD"), b"ref: refs/heads/work\n")?;
    write(&to.join("refs/heads/work"), format!("{commit}\n").as_bytes())?;
    write(&to.join("info/attributes"), NO_ATTRIBUTES.as_bytes())?;
    write(&to.join("config"), config.as_bytes())?;
    copy_tree(&from.join("objects"), &to.join("objects"))?;
    let shallow = from.join("shallow");
    if shallow.exists() {
        fs::copy(&shallow, to.join("shallow")).map_err(ForgeError::disk("copying", &shallow))?;
    }
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), ForgeError> {
    fs::create_dir(to).map_err(ForgeError::disk("making the folder", to))?;
    for entry in fs::read_dir(from).map_err(ForgeError::disk("reading", from))? {
        let entry = entry.map_err(ForgeError::disk("reading", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(ForgeError::disk("copying", &source))?;
        }
    }
    Ok(())
}

/// Reads lines of `MODE TYPE ID SIZE\tPATH`, each ended by NUL.
fn parse(listed: &[u8]) -> Tree {
    let entry = |line: &[u8]| {
        let tab = line.iter().position(|&byte| byte == b'\t')?;
        let head = String::from_utf8_lossy(line.get(..tab)?).into_owned();
        let mut words = head.split_whitespace();
        let (mode, _, id, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let tracked = Tracked {
            kind: Kind::of_mode(mode),
            id: id.to_owned(),
            size: size.parse().unwrap_or(0),
            stamp: None,
        };
        Some((line.get(tab + 1..)?.to_vec(), tracked))
    };
    listed.split(|&byte| byte == 0).filter_map(entry).collect()
}

/// Notes each file's inode, except of the files that were written last: a change within the same tick of the file
/// system's clock (10 ms at most) would leave no trace in those.
fn stamp(tree: &mut Tree, root: &Path) {
    for (path, tracked) in tree.iter_mut() {
        let metadata = fs::symlink_metadata(root.join(OsStr::from_bytes(path)));
        tracked.stamp = metadata.ok().map(|metadata| Stamp::of(&metadata));
    }
    let newest = tree.values().filter_map(|tracked| tracked.stamp.as_ref()).map(Stamp::changed_ns).max();
    for tracked in tree.values_mut() {
        tracked.stamp = tracked
            .stamp
            .take()
            .filter(|stamp| newest.is_some_and(|newest| stamp.changed_ns() < newest - TICKS_NS));
    }
}
