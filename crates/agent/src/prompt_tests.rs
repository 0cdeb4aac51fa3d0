use domain::{Caps, Mode};
use tokio::time::Instant;

use super::*;
use crate::{Resumed, tools};

fn brief(task: Task, test: Option<&str>) -> Brief {
    Brief {
        task,
        prompt: "total is wrong\r\n\x1b".to_owned(),
        test_command: test.map(str::to_owned),
        changes: None,
        caps: Caps::of(Mode::Mechanic),
        started: Instant::now(),
        delivery_reserve: Duration::ZERO,
        resumed: Resumed::default(),
    }
}

fn known<'a>(files: &'a [String], tried: Option<&'a Tried>) -> Known<'a> {
    Known { files, tried, near: "", diff_bytes: 1_000 }
}

#[test]
fn the_first_turn_says_all_there_is_to_know() {
    let files = ["a.py", "src/b.py", "src/c.py", "test/t.sh"].map(String::from);
    let tried = Tried { exit: Exit::Code(3), limit: Duration::from_secs(9), output: "not 5\n".into() };
    let known = Known { near: "--- a.py (1 line, whole)\n1 x\n", ..known(&files, Some(&tried)) };
    let turn = first_turn(&brief(Task::BugFix, Some("sh test/t.sh")), &known);
    assert_eq!(
        turn,
        "Task: bug_fix (find the cause of the bug and repair it).\n\ntotal is wrong\n\u{FFFD}\n\n\
         Test command, which must end with exit code 0: sh test/t.sh\n\
         Before any change it ends with exit code 3 and says:\nnot 5\n\n\
         Files:\n./ a.py\nsrc/ b.py, c.py\ntest/ t.sh\n\n\
         Perhaps these matter (as they are now, with line numbers in front):\n--- a.py (1 line, whole)\n1 x"
    );
}

#[test]
fn each_end_of_the_first_test_has_its_words() {
    let of =
        |exit, output: &str| outcome(&Tried { exit, limit: Duration::from_secs(11), output: output.into() });
    assert_eq!(of(Exit::Code(0), "ok 1\n"), "It passes as the code is now.\n");
    assert_eq!(of(Exit::Signal(9), " \n"), "Before any change it is killed by signal 9 and says nothing.\n");
    let stopped = "Before any change it was stopped after 11 s, still running and says:\n...\n";
    assert_eq!(of(Exit::TimedOut, "..."), stopped);
}

#[test]
fn a_large_tree_is_cut() {
    let files: Vec<String> = (0..10_000).map(|i| format!("some/folder/number{i}/file.rs")).collect();
    let tree = tree(&files);
    assert!(tree.len() <= TREE_BYTES + 600 && tree.ends_with("(and more)"), "{}", tree.len());
    assert_eq!(super::tree(&[]), "(none)");
}

/// Counted with the tokenizer of OpenAI's models; the other providers' are not public, and find about as many.
#[test]
fn what_every_call_of_a_mechanic_repeats_is_at_most_1200_tokens() {
    /// What Anthropic adds to a request with tools.
    const HIDDEN: usize = 346;
    let tokenizer = tiktoken_rs::o200k_base_singleton();
    for &task in Task::ALL {
        let tools: Vec<serde_json::Value> = tools::specs(task)
            .iter()
            .map(|tool| {
                serde_json::json!({ "name": tool.name, "description": tool.description, "input_schema": tool.schema })
            })
            .collect();
        let said = system(task).to_owned() + &serde_json::Value::Array(tools).to_string();
        let tokens = tokenizer.encode_with_special_tokens(&said).len() + HIDDEN;
        println!("{task}: {tokens} tokens");
        assert!(tokens <= 1_200, "{task}: {tokens}");
    }
}
