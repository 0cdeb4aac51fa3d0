//! Each rehearsal solves its case: a test command fails before its edits and passes after them; what it says at the end of a
//! review or an analysis is judged to be enough, and nothing is not.

use corpus::{Case, Delivered, Expected, judge};
use domain::{Finding, JobState, Outcome};
use rehearsal::Block;
use serde_json::Value;

use crate::by_hand::{ByHand, blocks};

#[test]
fn every_repair_turns_its_test_from_failing_to_passing() {
    let cases = corpus::built_in().unwrap();
    let path = corpus::path_for_commands(std::env::var_os("PATH"));
    let repairs: Vec<&Case> = cases.iter().filter(|case| case.expected == Expected::Tests).collect();
    // Most of the time is the compiler's, so as many as there are cores.
    let lanes = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for lane in 0..lanes {
            let (repairs, path) = (&repairs, &path);
            scope.spawn(move || {
                for case in repairs.iter().skip(lane).step_by(lanes) {
                    let missing = corpus::missing(&case.needs, path, false);
                    match missing.is_empty() {
                        true => turns_green(case),
                        false => eprintln!(
                            "left out: {} needs {}, which is not installed",
                            case.name,
                            missing.join(", ")
                        ),
                    }
                }
            });
        }
    });
}

fn turns_green(case: &Case) {
    let (by_hand, test) = (ByHand::of(case), case.test_command.as_deref().unwrap());
    assert!(!by_hand.shell(test).status.success(), "{}: nothing is to be repaired", case.name);
    by_hand.edit(case);
    let after = by_hand.shell(test);
    let said =
        format!("{}{}", String::from_utf8_lossy(&after.stdout), String::from_utf8_lossy(&after.stderr));
    assert!(after.status.success(), "{}: {said}", case.name);
}

/// What the last call of the rehearsal hands in.
fn handed_in(case: &Case) -> (String, Vec<Finding>) {
    let Some(Block::ToolUse { input, .. }) = blocks(case).pop() else {
        panic!("{} does not finish", case.name)
    };
    let findings = input.get("findings").cloned().unwrap_or(Value::Array(vec![]));
    let mut findings: Vec<Finding> = serde_json::from_value(findings).unwrap();
    findings.iter_mut().for_each(|finding| finding.anchored = true);
    let words = input.get("report").or(input.get("summary")).and_then(Value::as_str);
    (words.unwrap().to_owned(), findings)
}

#[test]
fn every_report_and_review_is_judged_by_its_places() {
    for case in corpus::built_in().unwrap() {
        if case.expected == Expected::Tests {
            continue;
        }
        let (report, findings) = handed_in(&case);
        let (state, outcome) = (JobState::Succeeded, Some(Outcome::Unverified));
        let whole = Delivered { state, outcome, report: Some(&report), findings: &findings };
        assert_eq!(judge(&case, &whole).faults, Vec::<String>::new(), "{}", case.name);
        let expects_nothing =
            matches!(&case.expected, Expected::Findings { wanted, .. } if wanted.is_empty());
        let nothing = Delivered { report: None, findings: &[], ..whole };
        assert_eq!(judge(&case, &nothing).is_solved(), expects_nothing, "{}", case.name);
    }
}
