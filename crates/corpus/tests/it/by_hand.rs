//! A case carried out by hand: its repository, its test command, and the edits of its rehearsal.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use corpus::Case;
use rehearsal::Block;
use serde_json::{Map, Value};
use tempfile::TempDir;

pub struct ByHand {
    folder: TempDir,
}

impl ByHand {
    pub fn of(case: &Case) -> ByHand {
        let folder = tempfile::tempdir().unwrap();
        corpus::make(case, &folder.path().join("repository")).unwrap();
        std::fs::create_dir(folder.path().join("tmp")).unwrap();
        ByHand { folder }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    pub fn shell(&self, command: &str) -> Output {
        let path = corpus::path_for_commands(std::env::var_os("PATH"));
        let tmp = self.folder.path().join("tmp");
        let mut shell = Command::new("/bin/bash");
        shell.args(["-c", command]).current_dir(self.path()).stdin(Stdio::null());
        shell.env_clear().env("PATH", path).env("HOME", &tmp).env("TMPDIR", &tmp).env("LANG", "C.UTF-8");
        shell.output().unwrap()
    }

    /// Carries out the edits of the rehearsal, and none of its commands.
    pub fn edit(&self, case: &Case) {
        for block in blocks(case) {
            if let Block::ToolUse { name, input } = block
                && name == "edit"
            {
                edit(&self.path(), &input, &case.name);
            }
        }
    }
}

/// All that the rehearsal says and calls.
pub fn blocks(case: &Case) -> Vec<Block> {
    let script = case.rehearsal.clone().unwrap_or_else(|| panic!("{} has no rehearsal", case.name));
    script.turns.into_iter().flat_map(|turn| turn.content).collect()
}

/// The edit tool: `old` is there exactly once and becomes `new`.
fn edit(folder: &Path, input: &Map<String, Value>, case: &str) {
    let text = |name: &str| input[name].as_str().unwrap();
    let path = folder.join(text("path"));
    let before = std::fs::read_to_string(&path).unwrap();
    assert_eq!(before.matches(text("old")).count(), 1, "{case}: {}", text("old"));
    std::fs::write(path, before.replacen(text("old"), text("new"), 1)).unwrap();
}
