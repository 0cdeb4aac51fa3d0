//! Attacks 9 to 12 of docs/sandbox.md: submodules, filters, links out, and links that are swapped in. Each has a control
//! that succeeds against who is less careful. Attack 8, hooks and settings, stands in `hostile`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use forge::{ForgeError, Mirror};

use crate::support::{Repo, soon, trap, write};

/// A repository with this entry for a submodule, whose repository is there to be fetched.
fn with_submodule(name: &str, path: &str) -> (Repo, Repo) {
    let inner = Repo::with(&[("stolen", b"fetched\n")]);
    let repo = Repo::with(&[("a", b"1\n")]);
    let entry = format!("[submodule \"{name}\"]\n\tpath = \"{path}\"\n\turl = {}\n", inner.address());
    repo.write(".gitmodules", entry.as_bytes());
    repo.git(&["add", "-A"]);
    let id = inner.git(&["rev-parse", "HEAD"]);
    repo.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{id},{}", path.replace("\\r", "\r")),
    ]);
    repo.git(&["commit", "-q", "-m", "a submodule"]);
    (repo, inner)
}

#[tokio::test]
async fn a9_a_submodule_whose_name_leads_out_is_refused() {
    let (repo, _inner) = with_submodule("../../hooks", "module");
    let error =
        Mirror::fetch(&repo.address(), None, None, &repo.beside("mirror"), soon()).await.err().unwrap();
    assert!(matches!(error, ForgeError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a9_no_submodule_is_fetched_whatever_its_name_ends_in() {
    for path in ["module", "module\\r"] {
        let (repo, _inner) = with_submodule("module", path);
        let Ok(mirror) = Mirror::fetch(&repo.address(), None, None, &repo.beside("mirror"), soon()).await
        else {
            // A git that knows this trick refuses the repository, which is as good.
            continue;
        };
        let work = mirror.checkout(&repo.beside("work")).await.unwrap();
        let found = fs::read_dir(work.path()).unwrap().flatten().map(|entry| entry.path());
        let inside = found.filter(|path| path.is_dir() && !path.ends_with(".git"));
        assert_eq!(inside.filter_map(|module| fs::read_dir(module).ok()?.next()).count(), 0);
        assert!(!work.path().join(".git/modules").exists());
    }
    // The control: git fetches it when it is told to go down.
    let (repo, _inner) = with_submodule("module", "module");
    let into = repo.beside("control");
    let mut clone = Command::new("git");
    clone.args([
        "-c",
        "protocol.file.allow=always",
        "-c",
        "safe.directory=*",
        "clone",
        "-q",
        "--recurse-submodules",
    ]);
    assert!(clone.arg(repo.path()).arg(&into).output().unwrap().status.success());
    assert!(into.join("module/stolen").exists());
}

#[tokio::test]
async fn a10_no_filter_runs_at_a_checkout_and_pointers_stay_pointers() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";
    let repo =
        Repo::with(&[("model.bin", pointer), (".gitattributes", b"*.bin filter=lfs diff=lfs -text\n")]);
    let marker = repo.beside("marker");
    let script = trap(repo.dir.path(), "trap", &marker).display().to_string();
    for key in ["filter.lfs.smudge", "filter.lfs.process", "filter.lfs.clean"] {
        repo.git(&["config", key, &script]);
    }
    let work = repo.workspace().await;
    assert_eq!(fs::read(work.path().join("model.bin")).unwrap(), pointer);
    assert_eq!(work.diff().await.unwrap(), "");
    assert!(!marker.exists());
    // The control: git runs it, in the repository that says so.
    fs::remove_file(repo.path().join("model.bin")).unwrap();
    let _ = Command::new("git").current_dir(repo.path()).args(["checkout", "--", "model.bin"]).output();
    assert!(marker.exists());
}

#[tokio::test]
async fn a11_a_link_out_of_the_workspace_is_a_link_in_the_patch() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let work = repo.workspace().await;
    let outside = repo.beside("outside");
    write(&outside, "secret", b"the secret\n");
    symlink(outside.join("secret"), work.path().join("to-file")).unwrap();
    symlink(&outside, work.path().join("to-folder")).unwrap();
    let diff = work.diff().await.unwrap();
    assert!(!diff.contains("the secret"), "{diff}");
    assert_eq!(diff.matches("new file mode 120000").count(), 2, "{diff}");
    // The control: whoever reads by path follows.
    assert_eq!(fs::read_to_string(work.path().join("to-folder/secret")).unwrap(), "the secret\n");
}

/// A folder that is a link every other moment, until this is dropped.
struct Swapping(Arc<AtomicBool>, Option<thread::JoinHandle<()>>);

impl Swapping {
    fn start(folder: &Path, target: &Path) -> Swapping {
        let over = Arc::new(AtomicBool::new(false));
        let (ended, folder, target) = (over.clone(), folder.to_owned(), target.to_owned());
        let aside = folder.with_extension("aside");
        let swap = move || {
            while !ended.load(Ordering::Relaxed) {
                fs::rename(&folder, &aside).unwrap();
                symlink(&target, &folder).unwrap();
                fs::remove_file(&folder).unwrap();
                fs::rename(&aside, &folder).unwrap();
            }
        };
        Swapping(over, Some(thread::spawn(swap)))
    }
}

impl Drop for Swapping {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        let _ = self.1.take().map(thread::JoinHandle::join);
    }
}

/// Looks whether the folder is a link, and reads a file in it if it is none.
fn careless(folder: &Path) -> Option<String> {
    let is_folder = folder.symlink_metadata().ok()?.is_dir();
    if is_folder { fs::read_to_string(folder.join("file")).ok() } else { None }
}

#[tokio::test]
async fn a12_a_link_that_is_swapped_in_between_look_and_use_is_not_followed() {
    let repo = Repo::with(&[("folder/file", b"harmless\n")]);
    let work = repo.workspace().await;
    let outside = repo.beside("outside");
    write(&outside, "file", b"the secret\n");
    // Changed, so that every diff reads it.
    write(work.path(), "folder/file", b"changed\n");
    let folder = work.path().join("folder");
    let _swapping = Swapping::start(&folder, &outside);
    for _ in 0..300 {
        let diff = work.diff().await.unwrap();
        assert!(!diff.contains("the secret"), "{diff}");
    }
    // The control: who looks and then reads gets it, sooner or later.
    let fell_for_it = (0..5_000_000).any(|_| careless(&folder).is_some_and(|text| text == "the secret\n"));
    assert!(fell_for_it);
}
