//! What a job may write for its repository, and that it is only read.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use forge::{ForgeError, Mirror, probe};

use crate::support::{Repo, git, snapshot, soon, trap, write};

#[tokio::test]
async fn a_path_a_file_url_a_bare_repository_and_a_worktree_all_work() {
    let repo = Repo::with(&[("a", b"1")]);
    git(repo.dir.path(), &["clone", "-q", "--bare", "repo", "bare with 100% space.git"]);
    repo.git(&["worktree", "add", "-q", "../tree", "-b", "other"]);
    let beside = |name: &str| repo.beside(name).display().to_string();
    for address in [
        repo.address(),
        format!("{}/.git", repo.address()),
        format!("file://{}", repo.address()),
        beside("bare with 100% space.git"),
        format!("file://{}", beside("bare%20with%20100%25%20space.git")),
        beside("tree"),
    ] {
        let into = repo.beside("mirror");
        let mirror = Mirror::fetch(&address, None, None, &into, soon()).await.unwrap();
        assert_eq!(mirror.commit(), repo.git(&["rev-parse", "HEAD"]), "{address}");
        std::fs::remove_dir_all(into).unwrap();
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_from_what_is_no_repository() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing").display().to_string();
    let error = probe(&missing, None, soon()).await.unwrap_err();
    assert!(matches!(error, ForgeError::NotFound { .. }) && error.is_permanent(), "{error}");
    write(dir.path(), "file", b"");
    for nothing in [dir.path().display().to_string(), dir.path().join("file").display().to_string()] {
        let error = probe(&nothing, None, soon()).await.unwrap_err();
        assert!(matches!(error, ForgeError::NotARepository { .. }) && error.is_permanent(), "{error}");
        assert!(error.to_string().contains("git init"), "{error}");
    }
    let error = probe("relative/path", None, soon()).await.unwrap_err();
    assert!(error.to_string().contains("full path"), "{error}");
}

#[tokio::test]
async fn a_folder_inside_a_repository_is_not_taken_for_it() {
    let repo = Repo::with(&[("sub/a", b"1")]);
    let error = probe(&format!("{}/sub", repo.address()), None, soon()).await.unwrap_err();
    assert!(matches!(error, ForgeError::NotARepository { .. }), "{error}");
}

#[tokio::test]
async fn an_unreachable_host_may_be_tried_again() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for url in [format!("http://u:hunter2@127.0.0.1:{port}/a.git"), format!("git://127.0.0.1:{port}/a.git")] {
        let error = probe(&url, None, soon()).await.unwrap_err();
        assert!(matches!(error, ForgeError::Unreachable { .. }) && !error.is_permanent(), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn somebody_elses_repository_is_read_and_never_written() {
    let repo = Repo::with(&[("a", b"1"), ("b/c", b"2")]);
    repo.git(&["tag", "v1"]);
    repo.write("a", b"not committed");
    let marker = repo.beside("marker");
    let script = trap(repo.dir.path(), "trap", &marker);
    repo.git(&["config", "core.fsmonitor", &script.display().to_string()]);
    repo.git(&["config", "uploadpack.packObjectsHook", &script.display().to_string()]);
    give_away(&repo.path());
    let before = inodes(&repo.path());
    for base in [None, Some("v1"), Some("HEAD^{commit}")] {
        probe(&repo.address(), base, soon()).await.unwrap();
    }
    let work = repo.workspace().await;
    std::fs::write(work.path().join("a"), "3").unwrap();
    work.diff().await.unwrap();
    assert_eq!(inodes(&repo.path()), before);
    assert!(!marker.exists());
    assert_eq!(snapshot(work.path()).get(b"b/c".as_slice()).unwrap().1, b"2");
}

/// As root: makes the repository somebody else's, which git by itself refuses to read.
fn give_away(path: &Path) {
    for (inode, _) in inodes(path) {
        // Another user than root cannot; then the repository stays the test's own.
        let _ = std::os::unix::fs::lchown(inode, Some(12_345), Some(12_345));
    }
}

/// Every file and folder with what changes when anybody writes to it.
fn inodes(root: &Path) -> BTreeMap<PathBuf, (u64, i64, i64, i64)> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.to_path_buf()];
    while let Some(path) = waiting.pop() {
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        found.insert(path, (metadata.size(), metadata.ctime(), metadata.ctime_nsec(), metadata.mtime()));
    }
    found
}
