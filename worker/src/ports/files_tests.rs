use std::fs;
use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;
use tempfile::TempDir;

use super::*;

const SECRET: &str = "out of bounds";

/// A checkout beside a secret, and the secret's path.
fn place() -> (TempDir, Files, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (root, secret) = (dir.path().join("checkout"), dir.path().join("secret"));
    fs::create_dir_all(root.join("src")).unwrap();
    fs::create_dir_all(root.join(".git")).unwrap();
    fs::write(root.join("src/a.txt"), "inside\n").unwrap();
    fs::write(root.join(".git/config"), "[core]\n").unwrap();
    fs::write(&secret, SECRET).unwrap();
    let files = Files::below(&root);
    (dir, files, secret)
}

fn why(result: Result<impl std::fmt::Debug, WorkspaceError>) -> String {
    match result {
        Err(error @ (WorkspaceError::Refused { .. } | WorkspaceError::NotFound { .. })) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn files_inside_are_read_and_written() {
    let (_dir, files, _) = place();
    assert_eq!(files.read("src/a.txt").unwrap(), b"inside\n");
    assert_eq!(files.write("src/a.txt", b"new").unwrap(), None);
    assert_eq!(files.write("x/y/b.txt", b"b").unwrap(), Some(PathBuf::from("x")));
    assert_eq!(
        (files.read("src/a.txt").unwrap(), files.read("x/y/b.txt").unwrap()),
        (b"new".into(), b"b".into())
    );
}

/// Each way is shown to lead to the secret for whoever follows it blindly.
#[test]
fn no_way_leads_out() {
    let (_dir, files, secret) = place();
    let root = files.root.clone();
    symlink(&secret, root.join("absolute")).unwrap();
    symlink("../secret", root.join("relative")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("absolute", root.join("chain")).unwrap();
    symlink("/proc/self/root", root.join("proc")).unwrap();
    let through_proc = format!("proc{}", secret.display());
    let ways = [
        "absolute",
        "relative",
        "up/secret",
        "chain",
        "../secret",
        "src/../../secret",
        through_proc.as_str(),
    ];
    for way in ways.into_iter().chain(secret.to_str()) {
        assert_eq!(fs::read_to_string(root.join(way)).unwrap(), SECRET, "the control: {way}");
        why(files.read(way));
        why(files.write(way, b"overwritten"));
    }
    why(files.write("up/made", b"x"));
    assert_eq!(fs::read_to_string(&secret).unwrap(), SECRET);
    assert!(!root.join("../made").exists());
    for path in ["/proc/self/environ", "/proc/1/environ", "proc/self/environ"] {
        why(files.read(path));
    }
}

#[test]
fn what_is_gits_is_nobodys_business() {
    let (_dir, files, _) = place();
    symlink(".git", files.root.join("link")).unwrap();
    for path in [".git/config", "./.git/config", ".GIT/config", "src/.git/config", "src/../.git/config"] {
        assert!(why(files.read(path)).contains("belongs to git"), "{path}");
        assert!(why(files.write(path, b"x")).contains("belongs to git"), "{path}");
    }
    symlink("link/config", files.root.join("src/chain")).unwrap();
    symlink("../link", files.root.join("src/up")).unwrap();
    symlink(".git/fresh", files.root.join("dangling")).unwrap();
    for path in ["link/config", "src/up/config", "link/hooks/fresh", "src/../link/config"] {
        why(files.read(path));
        assert!(why(files.write(path, b"x")).contains("belongs to git"), "{path}");
    }
    assert!(why(files.read("link/config")).contains("belongs to git"));
    for path in ["dangling", "src/chain"] {
        why(files.read(path));
        assert!(why(files.write(path, b"x")).contains("leads nowhere"), "{path}");
    }
    assert!(!files.root.join(".git/fresh").exists() && !files.root.join(".git/hooks").exists());
    assert!(why(files.write(".git/hooks/pre-commit", b"x")).contains("belongs to git"));
    assert_eq!(fs::read(files.root.join(".git/config")).unwrap(), b"[core]\n");
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let (_dir, files, _) = place();
    nix::unistd::mkfifo(&files.root.join("pipe"), Mode::S_IRWXU).unwrap();
    for path in ["pipe", "src", "."] {
        assert!(why(files.read(path)).contains("is not a file"), "{path}");
        why(files.write(path, b"x"));
    }
    assert_eq!(why(files.read("src/none")), "there is no file src/none");
    assert!(why(files.read("src/a.txt/b")).starts_with("src/a.txt/b cannot be used"));
    assert!(why(files.read("nul\0")).contains("cannot be used"));
    why(files.read(&"x".repeat(10_000)));
}

#[test]
fn of_a_huge_file_nothing_is_read() {
    let (_dir, files, _) = place();
    fs::File::create(files.root.join("huge")).unwrap().set_len(1 << 40).unwrap();
    assert!(why(files.read("huge")).contains("too large"));
    fs::write(files.root.join("strange"), b"\xff\0\xfe").unwrap();
    assert_eq!(files.read("strange").unwrap(), b"\xff\0\xfe");
}
