//! The demo's script, carried out by hand: it must turn its own repository's failing test into a passing one.

use std::path::Path;
use std::process::{Command, Output};

use rehearsal::{Block, demo};
use serde_json::{Map, Value};

fn sh(folder: &Path, command: &str) -> Output {
    Command::new("/bin/sh").args(["-c", command]).current_dir(folder).output().unwrap()
}

/// The edit tool: `old` is there exactly once and becomes `new`; an empty `old` makes a new file.
fn edit(folder: &Path, input: &Map<String, Value>) {
    let text = |name: &str| input[name].as_str().unwrap();
    let path = folder.join(text("path"));
    if text("old").is_empty() {
        assert!(!path.exists());
        std::fs::write(path, text("new")).unwrap();
    } else {
        let before = std::fs::read_to_string(&path).unwrap();
        assert_eq!(before.matches(text("old")).count(), 1);
        std::fs::write(path, before.replacen(text("old"), text("new"), 1)).unwrap();
    }
}

#[test]
fn the_script_fixes_the_bug_and_finishes() {
    let folder = tempfile::tempdir().unwrap();
    demo::write_files(folder.path()).unwrap();
    let test = sh(folder.path(), demo::TEST_COMMAND);
    assert_eq!(test.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&test.stdout).contains("FAILED  books.15"));

    let mut finished = 0;
    for block in demo::script().unwrap().turns.into_iter().flat_map(|turn| turn.content) {
        let Block::ToolUse { name, input } = block else { continue };
        match name.as_str() {
            "bash" => drop(sh(folder.path(), input["command"].as_str().unwrap())),
            "edit" => edit(folder.path(), &input),
            "finish" => {
                assert!(input["summary"].as_str().unwrap().starts_with("Rehearsal: "));
                finished += 1;
            }
            other => panic!("no such tool: {other}"),
        }
    }
    assert_eq!(finished, 1);
    let test = sh(folder.path(), demo::TEST_COMMAND);
    assert!(test.status.success(), "{}", String::from_utf8_lossy(&test.stdout));
    assert_eq!(String::from_utf8_lossy(&test.stdout).matches("ok ").count(), 4);
}

#[test]
fn every_file_of_the_folder_is_in_the_program() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo-repo");
    let found = sh(&source, "find . -type f | sed 's,^\\./,,' | LC_ALL=C sort").stdout;
    let mut named: Vec<&str> = demo::FILES.iter().map(|(path, _)| *path).collect();
    named.sort_unstable();
    assert_eq!(String::from_utf8(found).unwrap().lines().collect::<Vec<_>>(), named);
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("README.md"), "mine").unwrap();
    assert!(demo::write_files(folder.path()).is_err());
    assert_eq!(std::fs::read_to_string(folder.path().join("README.md")).unwrap(), "mine");
}
