//! Scripts that cannot be played say so when they are loaded.

use rehearsal::Script;
use serde_json::{Value, json};

fn fault(script: Value) -> String {
    Script::parse(&script.to_string()).unwrap_err().to_string()
}

fn with(content: Value) -> Value {
    json!({"name": "n", "description": "d", "turns": [{"content": [{"type": "text", "text": "ok"}]}, {"content": content}]})
}

#[test]
fn each_fault_has_its_sentence() {
    let cases = [
        (json!({"name": " ", "description": "d", "turns": []}), "the script has no name: give it one"),
        (json!({"name": "n", "description": "", "turns": []}), "the script has no description: give it one"),
        (
            json!({"name": "n", "description": "d", "turns": []}),
            "the script n has no turns: write at least one",
        ),
        (with(json!([])), "turn 2 of the script n says nothing and calls no tool"),
        (with(json!([{"type": "text", "text": "\n"}])), "turn 2 of the script n has an empty text"),
        (with(json!([{"type": "tool_use", "name": "rm -rf", "input": {}}])), "calls a tool by no name"),
        (
            with(json!([{"type": "tool_use", "name": "bash", "input": "ls"}])),
            "the script is not one (invalid type: string",
        ),
        (with(json!([{"type": "image"}])), "unknown variant `image`"),
        (json!({"name": "n", "description": "d", "turns": [], "model": "gpt"}), "unknown field `model`"),
        (json!([]), "write an object of name, description and turns"),
    ];
    for (script, expected) in cases {
        let message = fault(script);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let message = Script::load("no/such.json".as_ref()).unwrap_err().to_string();
    assert_eq!(message, "the script \"no/such.json\" cannot be read: give the path of a JSON file");
}

#[test]
fn a_file_is_read_like_its_text() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = with(json!([{"type": "tool_use", "name": "bash", "input": {}}])).to_string();
    std::fs::write(file.path(), &text).unwrap();
    assert_eq!(Script::load(file.path()).unwrap(), Script::parse(&text).unwrap());
}
