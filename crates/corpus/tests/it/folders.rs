//! Cases of one's own: what is wrong with them is said in a sentence that says what to do.

use std::path::Path;

use serde_json::{Value, json};

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn case() -> Value {
    json!({"name": "mine", "about": "a", "language": "shell", "task": "bug_fix", "prompt": "fix it", "test_command": "sh t.sh"})
}

type Change = fn(&mut Value);

fn fault(change: Change) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut case = case();
    change(&mut case);
    write(folder.path(), "mine/case.json", &case.to_string());
    write(folder.path(), "mine/files/t.sh", "false\n");
    corpus::of_folder(folder.path()).unwrap_err().to_string()
}

#[test]
fn a_folder_of_ones_own_is_read() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "mine/case.json", &case().to_string());
    write(folder.path(), "mine/files/t.sh", "false\n");
    write(folder.path(), "mine/files/sub/x", "x");
    write(folder.path(), "README.md", "not a case");
    let cases = corpus::of_folder(folder.path()).unwrap();
    let paths: Vec<&str> = cases[0].files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!((cases.len(), paths, &cases[0].rehearsal), (1, vec!["sub/x", "t.sh"], &None));
    let unknown = corpus::select(cases, &["yours".to_owned()]).unwrap_err().to_string();
    assert_eq!(unknown, "there is no case \"yours\": use one of mine");
}

#[test]
fn each_fault_has_its_sentence() {
    let faults: [(Change, &str); 7] = [
        (|case| case["name"] = json!("other"), "its name is not that of its folder"),
        (|case| case["prompt"] = json!(" "), "write a prompt"),
        (|case| case["test_command"] = Value::Null, "needs a test_command"),
        (|case| case["task"] = json!("sing"), "unknown variant `sing`"),
        (|case| case["tests"] = json!(1), "unknown field `tests`"),
        (|case| case["task"] = json!("analysis"), "a report needs places"),
        (
            |case| {
                case["task"] = json!("review");
                case["findings"] = json!([]);
            },
            "has a head.patch",
        ),
    ];
    for (change, expected) in faults {
        let said = fault(change);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_folder_without_cases_or_none_at_all_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = corpus::of_folder(folder.path()).unwrap_err();
    assert!(empty.to_string().contains("there is no case in it") && empty.is_usage(), "{empty}");
    let missing = corpus::of_folder(&folder.path().join("none")).unwrap_err();
    assert!(missing.to_string().contains("cannot read"), "{missing}");
}
