//! `codeteam eval` as a person uses it.

use std::path::Path;

use serde_json::{Value, json};
use system_tests::{CommandLine, is_empty};

#[tokio::test]
async fn a_rehearsed_evaluation_adds_up_and_leaves_nothing_behind() {
    let line = CommandLine::new();
    let cases = ["--case", "sh-quoting", "--case", "analysis-py-vat", "--case", "py-search-injection"];
    let said = line.run(&[&["eval", "--rehearse", "--json"], &cases[..]].concat()).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let evaluation: Value = serde_json::from_str(&said.out).unwrap();
    let scores = evaluation["cases"].as_array().unwrap();
    let names: Vec<&str> = scores.iter().map(|score| score["case"].as_str().unwrap()).collect();
    assert_eq!(names, [cases[1], cases[3], cases[5]], "in the order in which they were asked for");
    assert!(
        scores.iter().all(|score| score["solved"] == true && score["model"] == "rehearsal"),
        "{evaluation}"
    );
    let (total, sum) = (&evaluation["total"], |name: &str| {
        scores.iter().map(|score| score[name].as_i64().unwrap()).sum::<i64>()
    });
    assert_eq!(
        (&total["cases"], &total["solved"], &evaluation["rehearsal"]),
        (&json!(3), &json!(3), &json!(true))
    );
    assert_eq!(total["steps"], json!(sum("steps")));
    assert_eq!(total["cost_micros"], json!(sum("cost_micros")));
    assert!(sum("cost_micros") > 0 && total["tokens"]["output"].as_i64() > Some(0), "{total}");
    line.all_gone().await;
    assert!(is_empty(&line.temporary()), "its home is gone");
    assert!(!line.path("home").exists(), "it has a home of its own");
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn a_case_of_ones_own_that_is_not_solved_is_told_with_its_reason() {
    let line = CommandLine::new();
    let corpus = line.path("corpus");
    let case = json!({"name": "mine", "about": "a", "language": "shell", "task": "bug_fix", "prompt": "make it true",
                      "test_command": "sh t.sh"});
    let turn =
        |name: &str, input: Value| json!({"content": [{"type": "tool_use", "name": name, "input": input}]});
    let script = json!({"name": "mine", "description": "Changes the wrong thing.", "turns": [
        turn("edit", json!({"path": "note", "old": "", "new": "done\n"})),
        turn("finish", json!({"summary": "It is true now."})),
    ]});
    write(&corpus, "mine/case.json", &case.to_string());
    write(&corpus, "mine/rehearsal.json", &script.to_string());
    write(&corpus, "mine/files/t.sh", "false\n");
    let said = line.run(&["eval", "--rehearse", "--corpus", corpus.to_str().unwrap()]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("mine") && said.out.contains("0 of 1 cases solved"), "{said:?}");
    assert!(said.err.contains("the test command did not pass in a clean checkout"), "{said:?}");
    line.all_gone().await;
}

#[tokio::test]
async fn what_cannot_be_evaluated_is_said_in_a_sentence() {
    let line = CommandLine::new();
    let refused = async |arguments: &[&str], code: i32, words: &[&str]| {
        let said = line.run(&[&["eval"], arguments].concat()).await;
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{said:?}");
        assert!(words.iter().all(|word| said.err.contains(word)), "{said:?}");
    };
    refused(&["--rehearse", "--case", "nonsense"], 2, &["no case \"nonsense\"", "py-last-page"]).await;
    refused(&["--rehearse", "--corpus", "/no/such"], 2, &["/no/such", "case.json"]).await;
    refused(&["--model", "gpt-99"], 2, &["gpt-99"]).await;
    refused(&[], 3, &["ANTHROPIC_API_KEY", "chmod 600"]).await;
    line.all_gone().await;
    assert!(is_empty(&line.temporary()));
}
