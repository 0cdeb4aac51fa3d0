//! What every case must be, beyond what its reader checks.

use std::collections::{BTreeMap, BTreeSet};

use corpus::{Case, Expected};
use domain::Task;

fn cases() -> Vec<Case> {
    corpus::built_in().unwrap()
}

#[test]
fn there_are_enough_of_every_kind_and_language() {
    let (mut languages, mut tasks) = (BTreeMap::new(), BTreeMap::new());
    for case in cases() {
        *languages.entry(case.language).or_insert(0) += 1;
        *tasks.entry(case.task.as_str()).or_insert(0) += 1;
    }
    assert!(languages.values().sum::<i32>() >= 25, "{languages:?}");
    for language in ["python", "rust", "shell", "typescript"] {
        assert!(languages.get(language) >= Some(&4), "{languages:?}");
    }
    for task in [Task::BugFix, Task::Refactor, Task::Feature, Task::SecurityFix, Task::Review, Task::Analysis]
    {
        assert!(tasks.contains_key(task.as_str()), "{tasks:?}");
    }
}

#[test]
fn no_prompt_is_part_of_another_so_each_job_finds_its_rehearsal() {
    let cases = cases();
    for case in &cases {
        let same = cases.iter().filter(|other| other.prompt.contains(&case.prompt)).count();
        assert_eq!(same, 1, "{}", case.name);
    }
}

#[test]
fn a_rehearsal_says_what_it_is_and_ends_with_finish() {
    for case in cases() {
        let script = case.rehearsal.clone().unwrap();
        assert_eq!(script.name, case.name);
        assert!(script.description.contains("not recorded from a model"), "{}", case.name);
        let last = crate::by_hand::blocks(&case).pop();
        assert!(
            matches!(last, Some(rehearsal::Block::ToolUse { name, .. }) if name == "finish"),
            "{}",
            case.name
        );
    }
}

#[test]
fn expected_places_are_in_the_repository() {
    for case in cases() {
        let by_hand = crate::by_hand::ByHand::of(&case);
        if case.patch.is_some() {
            assert!(by_hand.shell("git checkout --quiet change").status.success());
        }
        let places: Vec<corpus::Place> = match &case.expected {
            Expected::Tests => continue,
            Expected::Findings { wanted, .. } => wanted.iter().map(corpus::Wanted::place).collect(),
            Expected::Places(places) => places.clone(),
        };
        for place in places {
            let text = std::fs::read_to_string(by_hand.path().join(&place.path)).unwrap();
            let last = place.to_line.unwrap_or(place.line) as usize;
            assert!((1..=text.lines().count()).contains(&last), "{}: {place:?}", case.name);
            assert!(place.line as usize <= last, "{}: {place:?}", case.name);
        }
    }
}

#[test]
fn a_needed_program_is_named_once() {
    for case in cases() {
        let needs: BTreeSet<&String> = case.needs.iter().collect();
        assert_eq!(needs.len(), case.needs.len(), "{}", case.name);
    }
}
