//! What the work may leave behind in a workspace, and that none of it has a say in the diff.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use forge::{ForgeError, Mirror};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::support::{Repo, git, make_executable, snapshot, soon, trap, write};

/// Settings that make git run a program, all of them naming `script`.
fn settings(script: &str) -> String {
    format!(
        "[core]\n\tfsmonitor = {script}\n\thooksPath = {script}s\n\tpager = {script}\n\tsshCommand = {script}\n\tattributesFile = /dev/null\n\
         [filter \"trap\"]\n\tclean = {script}\n\tsmudge = {script}\n\tprocess = {script}\n\trequired = true\n\
         [diff]\n\texternal = {script}\n[diff \"trap\"]\n\tcommand = {script}\n\ttextconv = {script}\n"
    )
}

#[tokio::test]
async fn nothing_planted_in_git_or_gitattributes_runs() {
    let repo = Repo::with(&[("a.c", b"1\n"), ("sub/b.c", b"1\n")]);
    let mirror = repo.mirror().await;
    let work = mirror.checkout(&repo.beside("work")).await.unwrap();
    let marker = repo.beside("marker");
    let script = trap(repo.dir.path(), "trap", &marker).display().to_string();
    let planted = settings(&script);
    fs::write(work.path().join(".git/config"), format!("[core]\n\tbare = false\n{planted}")).unwrap();
    for hook in ["pre-commit", "post-index-change", "post-checkout", "pre-applypatch"] {
        trap(&work.path().join(".git/hooks"), hook, &marker);
    }
    write(work.path(), ".gitattributes", b"* filter=trap diff=trap text eol=crlf\n");
    write(work.path(), "sub/.gitattributes", b"* filter=trap diff=trap -diff\n");
    write(work.path(), ".git/info/attributes", b"* filter=trap diff=trap\n");
    write(work.path(), ".git/info/exclude", b"*\n");
    write(work.path(), "a.c", b"2\r\n");
    write(work.path(), "sub/b.c", b"2\n");

    let diff = work.diff().await.unwrap();
    let clean = mirror.checkout(&repo.beside("clean")).await.unwrap();
    clean.apply(&diff).await.unwrap();
    assert_eq!(clean.diff().await.unwrap(), diff);
    assert!(!marker.exists());
    assert!(diff.contains("+2\r\n") && diff.contains("+2\n"), "{diff}");
    assert_eq!(snapshot(clean.path()), snapshot(work.path()));

    // The control: git itself, run in there, falls for it.
    let _ = std::process::Command::new("git").current_dir(work.path()).args(["status"]).output();
    assert!(marker.exists());
}

#[tokio::test]
async fn a_submodule_that_the_work_fills_runs_nothing_and_counts_for_nothing() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let id = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{id},module")]);
    repo.git(&["commit", "-q", "-m", "a submodule"]);
    let work = repo.workspace().await;
    let marker = repo.beside("marker");
    let script = trap(repo.dir.path(), "trap", &marker).display().to_string();
    let module = work.path().join("module");
    git(&module, &["init", "-q"]);
    write(&module, "x", b"x\n");
    fs::write(module.join(".git/config"), settings(&script)).unwrap();
    assert_eq!(work.diff().await.unwrap(), "");
    fs::remove_dir_all(module).unwrap();
    assert_eq!(work.diff().await.unwrap(), "");
    assert!(!marker.exists());
}

#[tokio::test]
async fn a_nested_repository_is_a_folder_like_any_other() {
    let repo = Repo::with(&[("src/a", b"1\n")]);
    let work = repo.workspace().await;
    for (folder, commit) in [("vendor/with", true), ("vendor/without", false), ("src", false)] {
        write(work.path(), &format!("{folder}/new"), b"new\n");
        git(&work.path().join(folder), &["init", "-q"]);
        if commit {
            git(&work.path().join(folder), &["add", "-A"]);
            git(&work.path().join(folder), &["commit", "-qm", "nested"]);
        }
    }
    write(work.path(), "file/.git", b"gitdir: /etc\n");
    write(work.path(), "case/.GIT/config", b"x\n");
    let diff = work.diff().await.unwrap();
    assert_eq!(diff.matches("+new\n").count(), 3, "{diff}");
    assert!(!diff.to_lowercase().contains(".git") && !diff.contains("160000"), "{diff}");
}

#[tokio::test]
async fn links_pipes_and_sockets_are_neither_followed_nor_waited_for() {
    let repo = Repo::with(&[("pipe", b"was a file\n"), ("dir/inside", b"1\n"), ("plain", b"1\n")]);
    let work = repo.workspace().await;
    let at = |path: &str| work.path().join(path);
    fs::remove_file(at("pipe")).unwrap();
    for pipe in ["pipe", "new-pipe", "dir/.gitignore"] {
        mkfifo(&at(pipe), Mode::S_IRWXU).unwrap();
    }
    let _socket = UnixListener::bind(at("socket")).unwrap();
    let outside = repo.beside("outside");
    write(&outside, "secret", b"the secret\n");
    write(&outside, "inside", b"the secret\n");
    symlink(&outside, at("to-folder")).unwrap();
    symlink(outside.join("secret"), at("to-file")).unwrap();
    symlink(".", at("loop")).unwrap();
    symlink("/nonexistent", at("dangling")).unwrap();
    symlink(&outside, at("new-dir-link")).unwrap();
    symlink(outside.join("secret"), at(".gitignore")).unwrap();
    fs::rename(at("dir"), at("moved")).unwrap();
    symlink(&outside, at("dir")).unwrap();
    let diff = work.diff().await.unwrap();
    assert!(!diff.contains("the secret"), "{diff}");
    for part in
        ["deleted file mode 100644\n", "b/to-folder", "b/to-file", "b/loop", "b/dangling", "moved/inside"]
    {
        assert!(diff.contains(part), "{part}: {diff}");
    }
    assert!(!diff.contains("b/new-pipe") && !diff.contains("b/socket"), "{diff}");
}

#[tokio::test]
async fn what_cannot_be_read_counts_as_unchanged() {
    if nix::unistd::geteuid().is_root() {
        return read_as_another_user();
    }
    let repo = Repo::with(&[("locked", b"1\n"), ("shut/a", b"1\n"), ("open", b"1\n")]);
    let work = repo.workspace().await;
    write(work.path(), "locked", b"22\n");
    write(work.path(), "open", b"2\n");
    close(&work.path().join("locked"));
    close(&work.path().join("shut"));
    let diff = work.diff().await.unwrap();
    make_executable(&work.path().join("shut"));
    assert!(diff.contains("b/open") && !diff.contains("locked") && !diff.contains("shut"), "{diff}");
}

fn close(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
}

/// Root reads everything, so the test runs itself again as nobody.
fn read_as_another_user() {
    use std::os::unix::process::CommandExt;
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("it");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    make_executable(dir.path());
    make_executable(&program);
    let room = dir.path().join("tmp");
    fs::create_dir(&room).unwrap();
    fs::set_permissions(&room, fs::Permissions::from_mode(0o777)).unwrap();
    let output = std::process::Command::new(&program)
        .args(["--exact", "hostile::what_cannot_be_read_counts_as_unchanged"])
        .current_dir(&room)
        .env("TMPDIR", &room)
        .env("HOME", &room)
        .uid(65_534)
        .gid(65_534)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn a_very_deep_folder_ends_nothing() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let work = repo.workspace().await;
    let deep: std::path::PathBuf = std::iter::repeat_n("d", 1000).collect();
    fs::create_dir_all(work.path().join(&deep)).unwrap();
    fs::write(work.path().join(&deep).join("x"), "x\n").unwrap();
    write(work.path(), "a", b"2\n");
    let diff = work.diff().await.unwrap();
    assert!(diff.contains("b/a") && !diff.contains("d/d"), "{diff}");
}

#[tokio::test]
async fn objects_of_the_workspace_are_not_those_of_the_mirror() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let mirror = repo.mirror().await;
    let work = mirror.checkout(&repo.beside("work")).await.unwrap();
    let packs = work.path().join(".git/objects/pack");
    for pack in fs::read_dir(packs).unwrap() {
        let path = pack.unwrap().path();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let length = fs::metadata(&path).unwrap().len();
        fs::write(&path, vec![0; usize::try_from(length).unwrap()]).unwrap();
    }
    write(work.path(), "a", b"2\n");
    assert!(work.diff().await.unwrap().contains("-1\n+2\n"));
    mirror.checkout(&repo.beside("again")).await.unwrap();
}

#[tokio::test]
async fn a_repository_that_would_plant_a_git_folder_is_refused() {
    let repo = Repo::with(&[("config", b"x\n")]);
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let list = repo.beside("list");
    fs::write(&list, format!("040000 tree {tree}\t.GIT\n")).unwrap();
    let planted = std::process::Command::new("git")
        .current_dir(repo.path())
        .arg("mktree")
        .stdin(fs::File::open(&list).unwrap())
        .output()
        .unwrap();
    let planted = String::from_utf8(planted.stdout).unwrap();
    let commit = repo.git(&["commit-tree", "-m", "planted", planted.trim()]);
    repo.git(&["update-ref", "refs/heads/planted", &commit]);
    let into = repo.beside("mirror");
    let error = Mirror::fetch(&repo.address(), Some("planted"), None, &into, soon()).await.err().unwrap();
    assert!(matches!(error, ForgeError::Corrupt { .. }) && error.is_permanent(), "{error}");
}
