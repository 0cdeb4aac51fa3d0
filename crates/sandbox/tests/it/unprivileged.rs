//! All of this again as a user who is not root, where the tests run as root.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::common::{LAUNCHER_VARIABLE, folder, is_root, settings};

#[test]
fn a_user_who_is_not_root_gets_the_same() {
    if !is_root() {
        return;
    }
    // Where that user may execute them; the originals may lie in root's home.
    let place = folder();
    let (tests, launcher) = (place.path().join("tests"), place.path().join("launcher"));
    fs::copy(std::env::current_exe().unwrap(), &tests).unwrap();
    fs::copy(settings().launcher.program, &launcher).unwrap();
    let output = Command::new(&tests)
        .args(["--test-threads", "2"])
        .env(LAUNCHER_VARIABLE, &launcher)
        .env("HOME", "/nonexistent")
        .current_dir("/")
        .uid(12_345)
        .gid(12_345)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("test result: ok"), "{said}");
}
