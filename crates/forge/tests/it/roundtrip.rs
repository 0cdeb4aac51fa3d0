//! A diff, applied to a second checkout, gives the same tree.

use std::fs;
use std::os::unix::fs::symlink;

use forge::ForgeError;

use crate::diffs::noise;
use crate::support::{Repo, make_executable, snapshot, write};

#[tokio::test]
async fn a_patch_carries_everything_to_a_second_checkout() {
    let long: String = (0..100).map(|line| format!("line {line}\n")).collect();
    let binary = noise(100_000);
    let repo = Repo::with(&[
        ("edited", b"one\ntwo\n"),
        ("crlf.txt", b"one\r\ntwo\r\n"),
        (".gitattributes", b"*.txt text eol=crlf\n*.dat filter=lfs diff=lfs -text\n* ident\n"),
        ("a.dat", b"$Id$ pointer\n"),
        ("deleted/deep/file", b"x\n"),
        ("renamed", long.as_bytes()),
        ("binary", &binary),
        ("latin", b"caf\xe9\n"),
        ("script", b"#!/bin/sh\n"),
        ("file-to-folder", b"1\n"),
        ("folder-to-file/a", b"1\n"),
        ("file-to-link", b"1\n"),
        ("with space ", b"1\n"),
    ]);
    let mirror = repo.mirror().await;
    let first = mirror.checkout(&repo.beside("first")).await.unwrap();
    let at = |path: &str| first.path().join(path);
    write(first.path(), "edited", b"one\n2\nthree");
    write(first.path(), "crlf.txt", b"one\r\n2\nthree\r");
    write(first.path(), "a.dat", b"$Id$ another pointer\n");
    fs::remove_dir_all(at("deleted")).unwrap();
    fs::rename(at("renamed"), at("renamed-now")).unwrap();
    write(first.path(), "binary", &[&binary[..50_000], b"\0new", &binary[50_000..]].concat());
    write(first.path(), "latin", b"th\xe9\n");
    make_executable(&at("script"));
    fs::remove_file(at("file-to-folder")).unwrap();
    write(first.path(), "file-to-folder/b", b"2\n");
    fs::remove_dir_all(at("folder-to-file")).unwrap();
    write(first.path(), "folder-to-file", b"2\n");
    fs::remove_file(at("file-to-link")).unwrap();
    symlink("edited", at("file-to-link")).unwrap();
    write(first.path(), "with space ", b"trailing  \n\n\n");
    write(first.path(), "new/empty", b"");
    write(first.path(), "new/\"quoted\"\t\n\u{e9}", b"1");
    write(first.path(), "new/nul", b"a\0b");
    write(first.path(), "new/control", b"\x1b[31m\r\x0c\x7f\n");
    symlink("../../outside", at("new/link")).unwrap();

    let diff = first.diff().await.unwrap();
    let second = mirror.checkout(&repo.beside("second")).await.unwrap();
    second.apply(&diff).await.unwrap();
    assert_eq!(snapshot(second.path()), snapshot(first.path()));
    assert_eq!(second.diff().await.unwrap(), diff);
}

#[tokio::test]
async fn a_patch_that_does_not_apply_changes_nothing() {
    let repo = Repo::with(&[("a", b"1\n"), ("b", b"1\n")]);
    let work = repo.workspace().await;
    write(work.path(), "a", b"2\n");
    write(work.path(), "b", b"2\n");
    let diff = work.diff().await.unwrap();
    let before = snapshot(work.path());
    let bad = [
        diff.as_str(),
        "no patch at all",
        "--- a/../../x\n+++ b/../../x\n@@ -0,0 +1 @@\n+x\n",
        "diff --git a/.git/config b/.git/config\nnew file mode 100644\n--- /dev/null\n+++ b/.git/x\n@@ -0,0 +1 @@\n+x\n",
        &diff[..diff.len() - 3],
    ];
    for patch in bad {
        let error = work.apply(patch).await.unwrap_err();
        assert!(matches!(error, ForgeError::PatchDoesNotApply { .. }) && error.is_permanent(), "{error}");
        assert!(error.to_string().contains(work.commit()), "{error}");
        assert_eq!(snapshot(work.path()), before);
    }
    work.apply("").await.unwrap();
}

#[tokio::test]
async fn two_workspaces_of_one_mirror_are_compared_at_the_same_time() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let mirror = repo.mirror().await;
    let one = mirror.checkout(&repo.beside("one")).await.unwrap();
    let two = mirror.checkout(&repo.beside("two")).await.unwrap();
    write(one.path(), "a", b"one\xff\n");
    write(two.path(), "a", b"two\n");
    let (one, two) = tokio::join!(one.diff(), two.diff());
    assert!(one.unwrap().contains("GIT binary patch"));
    assert!(two.unwrap().contains("+two"));
}
