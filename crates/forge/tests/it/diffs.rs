//! What a diff says of what was done.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use forge::{DIFF_BYTES, ForgeError};

use crate::support::{Repo, make_executable, write};

#[tokio::test]
async fn nothing_changed_is_an_empty_diff() {
    let repo = Repo::with(&[("a", b"1\n"), ("dir/b", b"2\n")]);
    assert_eq!(repo.workspace().await.diff().await.unwrap(), "");
}

#[tokio::test]
async fn an_edit_of_the_same_length_right_after_the_checkout_is_seen() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let work = repo.workspace().await;
    fs::write(work.path().join("a"), "2\n").unwrap();
    let diff = work.diff().await.unwrap();
    assert!(diff.starts_with("diff --git a/a b/a\nindex "), "{diff}");
    assert!(diff.ends_with("--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+2\n"), "{diff}");
}

#[tokio::test]
async fn new_deleted_and_renamed_files_are_told_as_such() {
    let long: String = (0..100).map(|line| format!("line {line}\n")).collect();
    let repo = Repo::with(&[("gone", b"x\n"), ("old/name", long.as_bytes())]);
    let work = repo.workspace().await;
    fs::remove_file(work.path().join("gone")).unwrap();
    fs::create_dir(work.path().join("new")).unwrap();
    fs::rename(work.path().join("old/name"), work.path().join("new/name")).unwrap();
    write(work.path(), "added \u{e9}\n.txt", b"no newline at end");
    let diff = work.diff().await.unwrap();
    for part in [
        "deleted file mode 100644",
        "rename from old/name\nrename to new/name",
        "new file mode",
        "\\303\\251",
    ] {
        assert!(diff.contains(part), "{part}: {diff}");
    }
    assert!(!diff.contains("line 50"), "{diff}");
}

#[tokio::test]
async fn modes_and_links_are_part_of_it() {
    let repo = Repo::with(&[("script", b"#!/bin/sh\n"), ("file", b"text\n")]);
    symlink("file", repo.path().join("link")).unwrap();
    repo.commit("a link");
    let work = repo.workspace().await;
    make_executable(&work.path().join("script"));
    fs::remove_file(work.path().join("link")).unwrap();
    symlink("/etc/passwd", work.path().join("link")).unwrap();
    fs::remove_file(work.path().join("file")).unwrap();
    symlink("/etc", work.path().join("file")).unwrap();
    let diff = work.diff().await.unwrap();
    for part in
        ["old mode 100644\nnew mode 100755", "-file\n", "+/etc/passwd", "new file mode 120000", "+/etc\n"]
    {
        assert!(diff.contains(part), "{part}: {diff}");
    }
    assert!(!diff.contains("root:"), "{diff}");
}

#[tokio::test]
async fn whatever_the_bytes_the_patch_is_text() {
    let latin = b"caf\xe9\n".as_slice();
    let name = "odd [*] \"name\" \u{e9}";
    let repo = Repo::with(&[("latin", latin), ("late-nul", &late_nul()), (name, latin), ("dropped", latin)]);
    let work = repo.workspace().await;
    write(work.path(), "latin", b"caf\xc3\xa9\n");
    write(work.path(), "late-nul", b"text now\n");
    write(work.path(), name, b"th\xe9\n");
    fs::remove_file(work.path().join("dropped")).unwrap();
    write(work.path(), "binary", &[0, 159, 146, 150]);
    write(work.path(), "new-late-nul", &late_nul());
    write(work.path(), &format!("{}/latin", "very-long-name/".repeat(60)), latin);
    let strange = std::ffi::OsStr::from_bytes(b"name-\xff");
    fs::write(work.path().join(strange), b"x\n").unwrap();
    let diff = work.diff().await.unwrap();
    assert!(!diff.contains('\0'));
    assert!(diff.contains("GIT binary patch") && diff.contains("name-\\377"), "{diff}");
}

/// Text for as far as git looks when it guesses.
fn late_nul() -> Vec<u8> {
    let mut bytes = b"text\n".repeat(4000);
    bytes.push(0);
    bytes
}

#[tokio::test]
async fn ignored_files_stay_out_and_tracked_ones_in() {
    let repo = Repo::with(&[
        (".gitignore", b"*.log\n/build/\n!keep.log\n"),
        ("sub/.gitignore", b"!loud.log\nquiet\n"),
    ]);
    write(&repo.path(), "build/tracked", b"1\n");
    repo.git(&["add", "-f", "build/tracked"]);
    repo.commit("a tracked file in an ignored folder");
    let work = repo.workspace().await;
    for path in ["a.log", "build/new", "sub/b.log", "sub/quiet"] {
        write(work.path(), path, b"out\n");
    }
    for path in ["keep.log", "sub/loud.log", "quiet"] {
        write(work.path(), path, b"in\n");
    }
    write(work.path(), "build/tracked", b"2\n");
    let diff = work.diff().await.unwrap();
    assert!(!diff.contains("+out"), "{diff}");
    assert_eq!(diff.matches("+in").count(), 3, "{diff}");
    assert!(diff.contains("b/build/tracked"), "{diff}");
}

#[tokio::test]
async fn commits_of_the_worker_in_its_own_git_make_no_difference() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let work = repo.workspace().await;
    write(work.path(), "a", b"2\n");
    let before = work.diff().await.unwrap();
    crate::support::git(work.path(), &["commit", "-qam", "mine"]);
    assert_eq!(work.diff().await.unwrap(), before);
    fs::remove_dir_all(work.path().join(".git")).unwrap();
    assert_eq!(work.diff().await.unwrap(), before);
}

#[tokio::test]
async fn a_large_file_is_named_in_the_refusal() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let work = repo.workspace().await;
    write(work.path(), "small", b"1\n");
    write(work.path(), "data/large.bin", &noise(10 << 20));
    let error = work.diff().await.unwrap_err();
    assert!(error.is_permanent());
    let ForgeError::DiffTooLarge { files, limit_bytes, largest } = &error else { panic!("{error}") };
    assert_eq!((*files, *limit_bytes), (2, DIFF_BYTES));
    assert_eq!(largest[0], ("data/large.bin".to_owned(), 10 << 20));
    assert!(error.to_string().contains("data/large.bin (10485760 bytes)"), "{error}");
}

#[tokio::test]
async fn a_file_larger_than_memory_is_refused_unread() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let work = repo.workspace().await;
    fs::File::create(work.path().join("sparse")).unwrap().set_len(1 << 40).unwrap();
    let error = work.diff().await.unwrap_err();
    assert!(error.to_string().contains("sparse (1099511627776 bytes)"), "{error}");
}

#[tokio::test]
async fn a_small_edit_of_a_large_file_is_a_small_diff() {
    let text = "0123456789abcde\n".repeat((10 << 20) / 16);
    let repo = Repo::with(&[("large", text.as_bytes()), ("noise", &noise(10 << 20))]);
    let work = repo.workspace().await;
    write(work.path(), "large", format!("{text}one more\n").as_bytes());
    let diff = work.diff().await.unwrap();
    assert!(diff.contains("+one more") && diff.len() < 1000, "{} bytes", diff.len());
}

#[tokio::test]
async fn many_files_are_too_many() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let work = repo.workspace().await;
    for number in 0..20_001 {
        fs::write(work.path().join(number.to_string()), "").unwrap();
    }
    assert!(matches!(work.diff().await, Err(ForgeError::DiffTooLarge { .. })));
}

/// Bytes that do not compress, the same at each run.
pub fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..bytes).map(|_| next()).collect()
}

#[tokio::test]
async fn a_workspace_that_is_gone_is_an_error_and_not_a_deletion_of_everything() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let work = repo.workspace().await;
    fs::remove_dir_all(work.path()).unwrap();
    let error = work.diff().await.unwrap_err();
    assert!(matches!(error, ForgeError::Disk { .. }), "{error}");
    symlink(Path::new("/etc"), work.path()).unwrap();
    assert!(matches!(work.diff().await, Err(ForgeError::Disk { .. })));
}

/// Each diff remembers what it read; nothing that happens between two of them may hide behind that.
#[tokio::test]
async fn what_changes_after_a_diff_is_in_the_next_one() {
    let repo = Repo::with(&[("a", b"one\n"), ("b", b"two\n")]);
    let work = repo.workspace().await;
    let path = |name: &str| work.path().join(name);
    let diff = async || work.diff().await.unwrap();
    for round in 0..3 {
        // Every inode says something new and no content does: all files are read, and known from then on.
        for name in ["a", "b"] {
            fs::set_permissions(path(name), fs::Permissions::from_mode(0o640)).unwrap();
        }
        // An inode that is younger than this is not believed.
        tokio::time::sleep(Duration::from_millis(80)).await;
        assert_eq!(diff().await, "", "{round}");
        // As long as before, and as old as before.
        let modified = fs::metadata(path("a")).unwrap().modified().unwrap();
        fs::write(path("a"), "eno\n").unwrap();
        fs::File::options().write(true).open(path("a")).unwrap().set_modified(modified).unwrap();
        let changed = diff().await;
        assert!(changed.contains("-one\n+eno\n") && !changed.contains("a/b"), "{changed}");
        assert_eq!(diff().await, changed, "the same changes make the same patch");
        fs::write(path("a"), "neo\n").unwrap();
        assert!(diff().await.contains("-one\n+neo\n"));
        fs::write(path("a"), "one\n").unwrap();
        assert_eq!(diff().await, "");
    }
}

#[tokio::test]
async fn a_patch_is_taken_out_as_it_was_put_in() {
    let repo = Repo::with(&[("a", b"one\n"), ("gone", b"x\n"), ("binary", b"\0\x01")]);
    let work = repo.workspace().await;
    write(work.path(), "a", b"two\n");
    write(work.path(), "new/file", b"x\n");
    write(work.path(), "binary", b"\0\x02");
    fs::remove_file(work.path().join("gone")).unwrap();
    let patch = work.diff().await.unwrap();
    work.revert(&patch).await.unwrap();
    assert_eq!(work.diff().await.unwrap(), "");
    assert!(!work.path().join("new").exists());
    let again = work.revert(&patch).await;
    assert!(matches!(again, Err(ForgeError::PatchDoesNotApply { .. })), "{again:?}");
}
